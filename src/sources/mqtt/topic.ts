import { topicHashOf } from './deliveries.ts';

/** Asset and sensor that a topic names, or the problem with it. */
export type TopicNames = { readonly asset: string; readonly sensor: string } | { readonly problem: string };
/** With the hash that goes into the names of the topic's messages. */
export type TopicEntry = TopicNames & { readonly hash: number };

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const MAX_CACHED = 100_000;
/** A topic may have 65 535 bytes; one that long is read anew each time rather than kept. */
const MAX_CACHED_LENGTH = 512;

/**
 * Reads asset and sensor from topics and remembers the answers, at most 100 000 of at most 512 characters each.
 *
 * A template is a topic with the levels `{asset}` and `{sensor}`; `+` stands for any level. As the last level, `{sensor}`
 * takes all levels that are left, joined by '.'. The empty template means: level 1 (counted from 0) is the asset, the
 * last level the sensor.
 *
 * @throws RangeError where the template has not exactly one of each.
 */
export function topicReader(template: string): (topic: string) => TopicEntry {
  const read = template === '' ? readByPosition : readByTemplate(template);
  const cache = new Map<string, TopicEntry>();
  return (topic) => {
    const known = cache.get(topic);
    if (known !== undefined) return known;
    const entry = { ...read(topic), hash: topicHashOf(topic) };
    if (topic.length <= MAX_CACHED_LENGTH) {
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(topic, entry);
    }
    return entry;
  };
}

function readByPosition(topic: string): TopicNames {
  const levels = topic.split('/');
  if (levels.length < 3)
    return { problem: `topic: ${topic} has ${levels.length} levels, expected at least 3` };
  return checked(topic, levels[1] ?? '', levels.at(-1) ?? '');
}

function readByTemplate(template: string): (topic: string) => TopicNames {
  const wanted = template.split('/');
  const assetAt = onlyIndex(template, wanted, '{asset}');
  const sensorAt = onlyIndex(template, wanted, '{sensor}');
  const open = sensorAt === wanted.length - 1;
  return (topic) => {
    const levels = topic.split('/');
    const fits =
      (levels.length === wanted.length || (open && levels.length > wanted.length)) &&
      wanted.every((level, i) => level === '+' || level === levels[i] || i === assetAt || i === sensorAt);
    if (!fits) return { problem: `topic: ${topic} does not match ${template}` };
    const sensor = open ? levels.slice(sensorAt).join('.') : (levels[sensorAt] ?? '');
    return checked(topic, levels[assetAt] ?? '', sensor);
  };
}

function onlyIndex(template: string, levels: readonly string[], placeholder: string): number {
  const at = levels.indexOf(placeholder);
  if (at < 0 || levels.lastIndexOf(placeholder) !== at) {
    throw new RangeError(
      `topicTemplate: ${template} is not valid, expected exactly one level ${placeholder}`,
    );
  }
  return at;
}

function checked(topic: string, asset: string, sensor: string): TopicNames {
  for (const [part, name] of [
    ['asset', asset],
    ['sensor', sensor],
  ] as const) {
    if (!NAME.test(name)) {
      return { problem: `topic: ${part} '${name.slice(0, 64)}' of ${topic} does not match ${NAME.source}` };
    }
  }
  return { asset, sensor };
}
