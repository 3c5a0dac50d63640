/* global document, EventSource, fetch, setInterval, setTimeout */

// Live values come as server-sent events; what changes slowly is asked for. Names and values go into the page as
// text only, never as markup.

const PREDICTION_S = 60;
const connection = document.getElementById('connection');
const sourcesList = document.getElementById('sources');
const assetsBox = document.getElementById('assets');

/** asset -> {twin, status, rows: sensor -> cells, outputs: output -> cells, predicted} */
const assets = new Map();
let lastEventAt = 0;
let connected = false;

function element(tag, text = '', className = '') {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className !== '') node.className = className;
  return node;
}

const digits = new Intl.NumberFormat('en', { maximumFractionDigits: 3, useGrouping: false });
const small = new Intl.NumberFormat('en', { notation: 'scientific', maximumFractionDigits: 2 });

function number(value) {
  if (typeof value !== 'number') return '–';
  return value !== 0 && Math.abs(value) < 0.001 ? small.format(value) : digits.format(value);
}

function show(cell, text, attention = '') {
  if (cell.textContent !== text) cell.textContent = text;
  cell.classList.toggle('warn', attention === 'warn');
  cell.classList.toggle('bad', attention === 'bad');
}

/** `text`: the columns, counted after the first, that hold words. */
function table(caption, columns, text) {
  const node = element('table');
  node.append(element('caption', caption));
  const head = element('tr');
  columns.forEach((column, i) => {
    const th = element('th', column, text.includes(i - 1) ? 'text' : '');
    th.scope = 'col';
    head.append(th);
  });
  const thead = element('thead');
  const body = element('tbody');
  thead.append(head);
  node.append(thead, body);
  return { node, body, text };
}

/** A row with `count` cells after its title. */
function row({ body, text }, title, count) {
  const tr = element('tr');
  const th = element('th', title);
  th.scope = 'row';
  const cells = Array.from({ length: count }, (_, i) => element('td', '–', text.includes(i) ? 'text' : ''));
  tr.append(th, ...cells);
  body.append(tr);
  return { tr, cells };
}

function assetOf(id) {
  const known = assets.get(id);
  if (known !== undefined) return known;
  if (assets.size === 0) assetsBox.replaceChildren();
  const section = element('section');
  const status = element('span', 'no twin', 'status');
  const title = element('h2', id);
  title.append(status);
  section.setAttribute('aria-label', id);
  const sensors = table('Sensors', ['sensor', 'value', 'estimate', '± s.d.', 'unit', 'quality'], [3, 4]);
  const twin = table('Twin', ['quantity', 'now', '± s.d.', `in ${PREDICTION_S} s`, 'unit'], [3]);
  twin.node.hidden = true;
  section.append(title, sensors.node, twin.node);
  assetsBox.append(section);
  const asset = { status, sensors, twin, rows: new Map(), outputs: new Map() };
  assets.set(id, asset);
  return asset;
}

function rowOf(map, name, create) {
  let found = map.get(name);
  if (found === undefined) {
    found = create();
    map.set(name, found);
  }
  return found;
}

function showReading(assetId, reading) {
  const asset = assetOf(assetId);
  const { tr, cells } = rowOf(asset.rows, reading.sensor, () => row(asset.sensors, reading.sensor, 5));
  const [value, estimate, stdDev, unit, quality] = cells;
  show(value, number(reading.value));
  show(estimate, number(reading.estimate?.value));
  show(stdDev, number(reading.estimate?.stdDev));
  show(unit, reading.unit);
  const why = reading.issues.map((issue) => issue.message).join('; ');
  const stale = reading.stale === true;
  const words = [stale ? 'stale' : '', reading.quality ?? 'no reading yet', why].filter(
    (word) => word !== '',
  );
  const attention =
    reading.quality === 'Bad' ? 'bad' : stale || reading.quality === 'Uncertain' ? 'warn' : '';
  show(quality, words.join(': '), attention);
  tr.classList.toggle('gone', stale);
}

const ATTENTION = { synchronised: '', degraded: 'warn', lost: 'bad' };

function showSync(asset, sync) {
  const stale = sync.staleSensors.length > 0 ? `, stale: ${sync.staleSensors.join(', ')}` : '';
  show(asset.status, `${sync.status}${stale}`, ATTENTION[sync.status] ?? 'bad');
}

function outputOf(asset, name) {
  asset.twin.node.hidden = false;
  return rowOf(asset.outputs, name, () => row(asset.twin, name, 4)).cells;
}

function showTwin(twin) {
  const asset = assetOf(twin.asset);
  showSync(asset, twin.sync);
  for (const [name, { value, unit, stdDev }] of Object.entries(twin.state)) {
    const [now, deviation, , unitCell] = outputOf(asset, name);
    show(now, number(value));
    show(deviation, number(stdDev));
    show(unitCell, unit);
  }
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const path = (asset, rest) => `api/assets/${encodeURIComponent(asset)}/${rest}`;

async function refreshAssets() {
  const list = await get('api/assets');
  for (const { asset: id, model, sensors, sync } of list.assets) {
    const asset = assetOf(id);
    for (const sensor of sensors) showReading(id, sensor);
    if (sync !== null) showSync(asset, sync);
    else show(asset.status, model === null ? 'no twin' : 'twin has no state yet');
    asset.hasTwin = sync !== null;
  }
  for (const [id, asset] of assets) if (asset.hasTwin) await refreshPrediction(id, asset);
}

async function refreshPrediction(id, asset) {
  if (asset.outputs.size === 0) showTwin(await get(path(id, 'twin')));
  const { trajectory } = await get(path(id, `prediction?horizonS=${PREDICTION_S}&stepS=${PREDICTION_S}`));
  const { timestamp: _, ...values } = trajectory.at(-1) ?? {};
  for (const [name, value] of Object.entries(values)) show(outputOf(asset, name)[2], number(value));
}

async function refreshSources() {
  const { sources } = await get('api/sources');
  const items = sources.map(({ source, type, connected: up, detail, problems }) => {
    const item = element('li', `${source} (${type}): `);
    if (!up) item.append(element('span', 'not connected', 'bad'), ', ');
    item.append(detail === '' && up ? 'connected' : detail);
    const broken = Object.entries(problems).map(([name, problem]) => `${name}: ${problem}`);
    if (broken.length > 0) item.append('; ', element('span', broken.join('; '), 'warn'));
    return item;
  });
  sourcesList.replaceChildren(...(items.length > 0 ? items : [element('li', 'none')]));
}

function showConnection() {
  const silentS = Math.round((Date.now() - lastEventAt) / 1000);
  if (!connected) show(connection, 'Disconnected: the values below are old. Reconnecting …', 'bad');
  else if (lastEventAt === 0) show(connection, 'Connected, nothing received yet');
  else if (silentS > 10) show(connection, `Connected, but nothing received for ${silentS} s`, 'warn');
  else show(connection, 'Live');
  assetsBox.classList.toggle('gone', !connected);
}

function listen() {
  const stream = new EventSource('api/stream?type=reading,twin');
  const on = (type, handle) =>
    stream.addEventListener(type, (event) => {
      handle(JSON.parse(event.data));
      const first = lastEventAt === 0;
      lastEventAt = Date.now();
      if (first) showConnection();
    });
  on('reading', (reading) => showReading(reading.asset, reading));
  on('twin', showTwin);
  stream.addEventListener('open', () => {
    connected = true;
    showConnection();
  });
  stream.addEventListener('error', () => {
    connected = false;
    showConnection();
    // The browser retries by itself unless the server refused.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

/** Asks again after each answer, so that a slow server is not asked twice at once. */
function repeat(refresh, everyMs) {
  refresh()
    .catch(() => undefined)
    .finally(() => setTimeout(() => repeat(refresh, everyMs), everyMs));
}

listen();
repeat(refreshAssets, 2000);
repeat(refreshSources, 5000);
setInterval(showConnection, 1000);
