/** Names of assets and sensors: they stand in topics, paths of the API and labels of metrics. */
const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

export const isName = (name: string): boolean => NAME.test(name) && !/^\.+$/.test(name);

/** What is wrong with the name of an asset or a sensor, if anything. */
export const nameProblem = (name: string): string | undefined =>
  isName(name)
    ? undefined
    : name.length > 128
      ? `the name has ${name.length} characters, expected at most 128`
      : 'not a valid name, expected letters, digits, "_", "-" and "." only, and not dots alone';

/** `asset/sensor` */
export function isSensorKey(key: string): boolean {
  const parts = key.split('/');
  return parts.length === 2 && parts.every(isName);
}

/** Node ids of OPC UA part 6: `ns=2;s=name`, `i=85`, `nsu=uri;s=name`, `g=GUID`, `b=base64`. */
export function isNodeId(text: string): boolean {
  const match =
    /^(?:ns=(\d{1,5});|nsu=[^;]+;)?(?:i=(\d{1,10})|s=.+|g=[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|b=[A-Za-z0-9+/]+={0,2})$/i.exec(
      text,
    );
  return match !== null && Number(match[1] ?? 0) <= 65_535 && Number(match[2] ?? 0) <= 0xffff_ffff;
}

/** An MQTT topic filter: `+` fills a level, `#` only as the last level. */
export function isTopicFilter(filter: string): boolean {
  if (filter === '' || filter.includes('\0') || Buffer.byteLength(filter) > 65_535) return false;
  const levels = filter.split('/');
  return levels.every(
    (level, i) =>
      level === '+' ||
      (level === '#' && i === levels.length - 1) ||
      !(level.includes('+') || level.includes('#')),
  );
}

/** A topic to publish to: no wildcards. */
export const isTopic = (topic: string): boolean => isTopicFilter(topic) && !/[+#]/.test(topic);

/** '' or a topic with one level `{asset}` and one `{sensor}`. */
export function isTopicTemplate(template: string): boolean {
  if (template === '') return true;
  const levels = template.split('/');
  const once = (name: string): boolean => levels.filter((level) => level === name).length === 1;
  const others = levels.filter((level) => level !== '{asset}' && level !== '{sensor}');
  return once('{asset}') && once('{sensor}') && !/[{}#]/.test(others.join('/')) && isTopicFilter(template);
}
