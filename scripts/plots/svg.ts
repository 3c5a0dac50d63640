/** A small writer of SVG plots: panels side by side, readable on light and on dark pages, the same for the same numbers. */

export type Points = readonly (readonly [x: number, y: number])[];

/** What is drawn in a panel, first to last. */
export type Layer =
  | { readonly kind: 'dots' | 'line' | 'truth'; readonly points: Points }
  | { readonly kind: 'band'; readonly upper: Points; readonly lower: Points };

export interface Panel {
  readonly title: string;
  readonly note: string;
  readonly layers: readonly Layer[];
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Its y is not the first panel's. */
  readonly ownScale?: boolean;
}

export interface Figure {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** What the kinds of layers stand for. */
  readonly legend: Readonly<Partial<Record<Layer['kind'], string>>>;
  readonly panels: readonly Panel[];
}

const WIDTH = 1000;
const HEIGHT = 320;
const TOP = 62;
const BOTTOM = 68;
const LEFT = 52;
const GAP = 14;

const STYLE = `
svg{--page:#fff;--ink:#1f2328;--soft:#59636e;--grid:#d8dee4;--dot:#9aa4af;--line:#0b62c4;--band:#0b62c4;--truth:#c2410c;
font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
@media (prefers-color-scheme:dark){svg{--page:#0d1117;--ink:#e6edf3;--soft:#9198a1;--grid:#30363d;--dot:#6e7681;--line:#58a6ff;--band:#58a6ff;--truth:#f0883e}}
.page{fill:var(--page)}.ink{fill:var(--ink)}.soft{fill:var(--soft)}.head{font-size:15px;font-weight:600}.name{font-weight:600}
.grid{stroke:var(--grid);fill:none}.dots{stroke:var(--dot);stroke-width:2.4;stroke-linecap:round;fill:none}
.band{fill:var(--band);opacity:.25}.line{stroke:var(--line);stroke-width:1.6;stroke-linejoin:round;fill:none}
.truth{stroke:var(--truth);stroke-width:1.1;stroke-dasharray:5 3;fill:none}`.trim();

/** In tenths of a pixel: enough to see, and short. */
const at = (value: number): string => String(Math.round(value * 10) / 10);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function svg(figure: Figure): string {
  const { title, panels, xLabel, yLabel } = figure;
  const width = (WIDTH - LEFT - GAP * panels.length) / panels.length;
  const height = HEIGHT - TOP - BOTTOM;
  const middle = TOP + height / 2;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text class="ink head" x="${LEFT}" y="24">${escaped(title)}</text>`,
    `<text class="soft" transform="translate(15 ${at(middle)}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    ...panels.map((panel, i) => panelOf(panel, i, LEFT + i * (width + GAP), width, height)),
    `<text class="soft" x="${LEFT + (WIDTH - LEFT) / 2}" y="${HEIGHT - BOTTOM + 34}" text-anchor="middle">${escaped(xLabel)}</text>`,
    legend(figure.legend),
    '</svg>',
  ].join('\n')}\n`;
}

function panelOf(panel: Panel, index: number, left: number, width: number, height: number): string {
  const [x0, x1] = panel.x;
  const [y0, y1] = panel.y;
  const toX = (x: number): number => left + ((x - x0) / (x1 - x0)) * width;
  // Far outside, it is cut off anyway.
  const toY = (y: number): number =>
    Math.max(-HEIGHT, Math.min(2 * HEIGHT, TOP + height - ((y - y0) / (y1 - y0)) * height));
  const place = ([x, y]: readonly [number, number]): Pixel => [toX(x), toY(y)];
  const clip = `clip${index}`;
  const box = `x="${at(left)}" y="${TOP}" width="${at(width)}" height="${at(height)}"`;
  const yTicks = ticks(y0, y1).map(
    (y) =>
      `<path class="grid" d="M${at(left)} ${at(toY(y))}h${at(width)}"/>${
        index === 0
          ? `<text class="soft" x="${at(left - 6)}" y="${at(toY(y) + 4)}" text-anchor="end">${y}</text>`
          : panel.ownScale === true && y > y0
            ? `<text class="soft" x="${at(left + 5)}" y="${at(toY(y) + 4)}">${y}</text>`
            : ''
      }`,
  );
  const xTicks = ticks(x0, x1).map((x) => {
    // At the edges, they would run into those of the next panel.
    const anchor = x === x0 ? 'start' : x === x1 ? 'end' : 'middle';
    return `<text class="soft" x="${at(toX(x))}" y="${at(TOP + height + 16)}" text-anchor="${anchor}">${x}</text>`;
  });
  return [
    `<clipPath id="${clip}"><rect ${box}/></clipPath>`,
    `<text class="ink name" x="${at(left)}" y="${TOP - 20}">${escaped(panel.title)}</text>`,
    `<text class="soft" x="${at(left)}" y="${TOP - 6}">${escaped(panel.note)}</text>`,
    ...yTicks,
    ...xTicks,
    `<rect class="grid" ${box}/>`,
    `<g clip-path="url(#${clip})">`,
    ...panel.layers.map((layer) => drawn(layer, place)),
    '</g>',
  ].join('\n');
}

type Pixel = readonly [number, number];

function drawn(layer: Layer, place: (point: Pixel) => Pixel): string {
  if (layer.kind === 'band') {
    const outline = [...layer.upper, ...layer.lower.toReversed()].map(place);
    return `<path class="band" d="${track(outline)}z"/>`;
  }
  const pixels = layer.points.map(place);
  if (layer.kind !== 'dots') return `<path class="${layer.kind}" d="${track(pixels)}"/>`;
  return `<path class="dots" d="${pixels.map(([x, y]) => `M${at(x)} ${at(y)}h0`).join('')}"/>`;
}

/** Relative steps, in whole tenths so that they do not drift. */
function track(pixels: readonly Pixel[]): string {
  let d = '';
  let [atX, atY] = [0, 0];
  pixels.forEach(([x, y], i) => {
    const [nextX, nextY] = [Math.round(x * 10), Math.round(y * 10)];
    d += i === 0 ? `M${nextX / 10} ${nextY / 10}l` : `${(nextX - atX) / 10} ${(nextY - atY) / 10} `;
    [atX, atY] = [nextX, nextY];
  });
  return d.trim();
}

/** Round numbers within the range, four to seven of them. */
function ticks(from: number, to: number): number[] {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const count = Math.floor((to - from) / step + 1e-9);
  const first = Math.ceil(from / step - 1e-9) * step;
  return Array.from({ length: count + 1 }, (_, i) => Number((first + i * step).toPrecision(6))).filter(
    (each) => each <= to,
  );
}

function legend(kinds: Figure['legend']): string {
  const y = HEIGHT - 16;
  let x = LEFT;
  const marks: Record<Layer['kind'], (x: number) => string> = {
    dots: (from) =>
      `<path class="dots" d="M${from + 6} ${y - 4}h0M${from + 14} ${y - 6}h0M${from + 10} ${y - 1}h0"/>`,
    line: (from) => `<path class="line" d="M${from} ${y - 4}h20"/>`,
    truth: (from) => `<path class="truth" d="M${from} ${y - 4}h20"/>`,
    band: (from) => `<rect class="band" x="${from}" y="${y - 10}" width="20" height="12"/>`,
  };
  return (['dots', 'truth', 'line', 'band'] as const)
    .flatMap((kind) => {
      const name = kinds[kind];
      if (name === undefined) return [];
      const mark = `${marks[kind](x)}<text class="soft" x="${x + 26}" y="${y}">${escaped(name)}</text>`;
      x += 50 + Math.round(name.length * 6.4);
      return [mark];
    })
    .join('\n');
}
