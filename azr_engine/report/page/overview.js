// The first view: what came of the run at a glance, then the charts, what went wrong, and what it was made with.

const EVENT_LIMIT = 100;

function overviewView(run) {
  const figures = new Figures(run);
  const parts = [hero(run, figures)];
  if (!run.steps) parts.push(el('p', { class: 'empty', text: 'No step is finished yet: charts appear with the first one.' }));
  const made = sections(figures);
  const trouble = troubleSection(run);
  const names = [...made.map(({ id, title: text }) => [id, text]), ['trouble', 'Alarms and faults'], ['settings', 'Settings']];
  parts.push(el('nav', { class: 'contents', 'aria-label': 'Sections' }, names.map(([id, text]) => el('button', { type: 'button', text, on: { click: () => document.getElementById(id)?.scrollIntoView({ block: 'start' }) } }))));
  for (const one of made) parts.push(el('section', { id: one.id }, el('h2', { text: one.title }), el('div', { class: 'cards' }, one.cards)));
  parts.push(trouble, settingsSection(run));
  return parts;
}

function hero(run, f) {
  const made = run.planned ? `${number(run.steps)} of ${number(run.planned)} steps` : plural(run.steps, 'step');
  const facts = [made, duration(run.seconds), `${number(run.tokens.generated)} tokens written`, `${number(run.counts.tasks)} tasks`, `${number(run.counts.attempts)} tries`].join(' · ');
  return el('section', { class: 'hero' },
    el('h1', {}, shown(run.name)),
    el('p', { class: 'facts' }, `${run.model ?? 'a model'} on ${run.domains.join(', ') || 'no domain'} · ${facts}`),
    el('div', { class: 'tiles' }, tiles(run, f)));
}

function tiles(run, f) {
  const made = [...heldOutTiles(run)];
  for (const [place, domain] of f.domains.entries()) {
    const curve = run.solving.curves[domain];
    if (!curve?.mean.length) continue;
    made.push(tile(`Solve rate, ${domain}`, percent(curve.mean.at(-1)), `on its own tasks · [${percent(curve.low.at(-1))}, ${percent(curve.high.at(-1))}] · ${percent(curve.mean[0])} at the start`, curve.mean, colorAt(place)));
  }
  const share = (top, bottom) => f.total(top).map((value, place) => (f.total(bottom)[place] ? value / f.total(bottom)[place] : null));
  const recent = (values) => mean(values.slice(-10));
  if (run.steps) {
    const novel = share('unique_skeletons', 'admitted');
    made.push(tile('Novelty', percent(recent(novel)), 'different skeletons among the admitted, last 10 steps', novel, 'c2'));
    if (f.total('proposed').some((value) => value > 0)) {
      const admitted = share('admitted', 'proposed');
      made.push(tile('Admitted', percent(recent(admitted)), 'of proposals, last 10 steps', admitted, 'c4'));
    }
    const faults = f.at('faults').reduce((sum, value) => sum + (value ?? 0), 0);
    made.push(tile('Alarms', number(run.alarms.length), `${plural(faults, 'fault')} of verifiers`, [], run.alarms.length || faults ? 'c1' : 'c2'));
  }
  return made;
}

function heldOutTiles(run) {
  const evals = run.evals.filter((line) => line.overall?.pass_at_k);
  if (!evals.length) return [];
  const k = Object.keys(evals[0].overall.pass_at_k)[0];
  const values = evals.map((line) => line.overall.pass_at_k[k]?.value);
  const [first, last] = [values[0], values.at(-1)];
  const range = evals.at(-1).overall.pass_at_k[k]?.ci95;
  const gain = isNumber(first) && isNumber(last) ? `${last >= first ? '+' : '−'}${(100 * Math.abs(last - first)).toFixed(1)} points since step ${evals[0].step}` : '';
  return [tile(`Held-out pass@${k}`, percent(last), [gain, range ? `[${percent(range[0])}, ${percent(range[1])}]` : ''].filter(Boolean).join(' · '), values, 'c0')];
}

function tile(name, value, about, values, color) {
  return el('div', { class: 'tile' }, el('h3', { text: name }), el('div', { class: 'value', text: value }), spark(values, color), el('p', { class: 'note', text: about }));
}

/** A small line without axes. */
function spark(values, color) {
  const points = moving(values, Math.round(values.length / 30)).map((y, x) => [x, y]).filter(([, y]) => isNumber(y));
  if (points.length < 2) return null;
  const ys = points.map(([, y]) => y);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const d = points.map(([x, y], place) => `${place ? 'L' : 'M'}${(1 + (98 * x) / (values.length - 1)).toFixed(1)} ${(25 - (22 * (y - low)) / (high - low || 1)).toFixed(1)}`).join('');
  return sv('svg', { class: 'spark', viewBox: '0 0 100 28', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, sv('path', { class: `line ${color}`, d, 'vector-effect': 'non-scaling-stroke' }));
}

function troubleSection(run) {
  const faults = (run.columns.faults ?? []).map((count, place) => [run.columns.step[place], count]).filter(([, count]) => count > 0);
  const lanes = new Map();
  const add = (name, step, text) => lanes.set(name, [...(lanes.get(name) ?? []), [step, text]]);
  for (const [step, name] of run.alarms) add(`alarm ${name}`, step, `step ${step}`);
  for (const [step, count] of faults) add('faults', step, `step ${step}: ${plural(count, 'fault')}`);
  for (const event of run.events) if (event.name !== 'alarm') add(event.name, event.step, `step ${event.step}`);
  const body = lanes.size ? [timeline(run, lanes), eventList(run)] : [el('p', { class: 'empty', text: 'Nothing: no alarm, no fault, nothing dropped.' })];
  return el('section', { id: 'trouble' }, el('h2', { text: 'Alarms and faults' }), ...body);
}

function timeline(run, lanes) {
  const row = 26;
  const width = 1000;
  const left = 190;
  const x = (step) => left + (Math.max(0, step) / Math.max(1, run.steps)) * (width - left - 16);
  const nodes = [...lanes].map(([name, points], place) => sv('g', { class: 'lane' },
    sv('line', { x1: left, x2: width - 10, y1: place * row + 16, y2: place * row + 16 }),
    sv('text', { x: left - 12, y: place * row + 20, 'text-anchor': 'end' }, document.createTextNode(`${name} (${points.length})`)),
    points.slice(-800).map(([step, text]) => sv('circle', { cx: x(step), cy: place * row + 16, r: 4.5, class: `dot ${name.startsWith('alarm') ? 'c1' : 'c3'}` }, sv('title', { text })))));
  const ends = [0, run.steps].map((step, place) => sv('text', { class: 'tick', x: x(step), y: lanes.size * row + 20, 'text-anchor': place ? 'end' : 'start', text: `step ${step}` }));
  const label = [...lanes].map(([name, points]) => `${name}: ${points.length}`).join(', ');
  return el('figure', { class: 'card wide' }, el('h3', { text: 'On the time axis' }), sv('svg', { viewBox: `0 0 ${width} ${lanes.size * row + 28}`, role: 'img', 'aria-label': label, class: 'timeline' }, nodes, ends));
}

function eventList(run) {
  const newest = run.events.slice(-EVENT_LIMIT).reverse();
  if (!newest.length) return null;
  const rows = newest.map((event) => el('details', { class: 'event' },
    el('summary', {}, el('b', { text: `step ${event.step} ` }), shown(event.name), ' ', el('span', { class: 'note' }, shown(headline(event.data)))),
    block(Object.entries(event.data ?? {}).map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('\n'))));
  const more = run.n_events > newest.length ? el('p', { class: 'note', text: `The newest ${newest.length} of ${plural(run.n_events, 'event')}; events.jsonl has them all.` }) : null;
  return el('div', { class: 'card wide' }, el('h3', { text: 'Events' }), more, rows);
}

function headline(data) {
  const text = data?.message ?? data?.error ?? data?.reason ?? data?.traceback ?? JSON.stringify(data ?? {});
  return String(text).trim().split('\n').at(-1).slice(0, 160);
}

function settingsSection(run) {
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  const rows = run.settings.map((row) => el('tr', { class: row.changed ? 'changed' : null }, el('th', { scope: 'row' }, shown(row.name)), el('td', {}, shown(text(row.value))),
    el('td', { class: 'note' }, row.changed && row.default !== undefined && row.default !== null ? shown(`default ${text(row.default)}`) : ''), el('td', { class: 'note' }, row.about ?? '')));
  const versions = Object.entries(run.versions).map(([name, version]) => el('tr', {}, el('th', { scope: 'row', text: name }), el('td', {}, shown(version))));
  return el('section', { id: 'settings' }, el('h2', { text: 'Settings and versions' }),
    el('div', { class: 'card wide scroll' }, el('p', { class: 'note', text: 'Settings that differ from the defaults are marked.' }), el('table', { class: 'settings' }, el('tbody', {}, rows))),
    el('div', { class: 'card wide scroll' }, el('h3', { text: 'Versions where the report was made' }), el('table', { class: 'settings' }, el('tbody', {}, versions))),
    el('p', { class: 'note' }, shown(run.folder)));
}
