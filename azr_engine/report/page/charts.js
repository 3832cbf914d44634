// Which charts a run gets. A figure that the run lacks leaves its line out, and a chart without lines is not shown.

const PHASES = ['propose', 'admit', 'solve', 'judge', 'update', 'checkpoint'];
const STATUS_COLORS = { pass: 'c2', fail: 'c1', malformed: 'c4', abstain: 'c7', fault: 'c3' };
const LEVELS = [['never', 'q0'], ['hard', 'q1'], ['middle', 'q2'], ['easy', 'q3'], ['always', 'q4']];
const COUNTS = ['proposed', 'well_formed', 'admitted', 'duplicate', 'unique_skeletons', 'effective', 'replayed', 'retired'];
const colorAt = (place) => `c${place % 8}`;
const title = (text) => text.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());

/** Columns of a run by path, and the shapes that charts are asked for. */
class Figures {
  constructor(overview) {
    this.run = overview;
    this.columns = overview.columns;
    this.step = this.columns.step ?? [];
    this.domains = overview.domains;
    this.used = new Set(['step', 'weight_version']);
    this.marks = alarmMarks(overview.alarms);
    const kinds = Object.keys(this.columns).map((path) => path.split('/')).filter((path) => path[0] === 'domains' && path[2] === 'kinds').map((path) => path[3]);
    this.kinds = [...new Set(kinds)];
  }

  /** The values at a path; empty where the run has none. */
  at(path) {
    this.used.add(path);
    return this.columns[path] ?? [];
  }

  line(name, path, color, more = {}) {
    return { name, x: this.step, y: this.at(path), color, ...more };
  }

  byDomain(field, more = {}) {
    return this.domains.map((domain, place) => this.line(domain, `domains/${domain}/${field}`, colorAt(place), more));
  }

  /** The sum over domains of a field, per step; null where no domain has it. */
  total(field) {
    const parts = this.domains.map((domain) => this.at(`domains/${domain}/${field}`));
    return this.step.map((_, place) => {
      const present = parts.map((values) => values[place]).filter(isNumber);
      return present.length ? present.reduce((sum, value) => sum + value, 0) : null;
    });
  }

  chart(spec) {
    return chart({ marks: this.marks, ...spec });
  }
}

function alarmMarks(alarms) {
  const bySteps = new Map();
  for (const [step, name] of alarms) bySteps.set(step, [...(bySteps.get(step) ?? []), name]);
  return [...bySteps].map(([x, names]) => ({ x, text: `step ${x}: alarm ${names.join(', ')}` }));
}

/** Sections of {id, title, about, cards}, those without any chart left out. */
function sections(f) {
  const made = [learning(f), difficulty(f), curriculum(f), proposals(f), policy(f), costs(f)];
  made.push(others(f));
  return [...made, oversight(f)].filter(Boolean).map((one) => ({ ...one, cards: one.cards.filter(Boolean) })).filter((one) => one.cards.length);
}

function learning(f) {
  const solving = f.run.solving;
  const about = `last ${plural(solving.window, 'step')}, 95% intervals over tasks`;
  const own = (name, label, color) => {
    const curve = solving.curves[name];
    return curve ? { name: label, x: curve.step, y: curve.mean, low: curve.low, high: curve.high, color } : null;
  };
  const percentages = { type: 'lines', format: percent, max: 1 };
  const cards = heldOut(f);
  cards.push(f.chart({ ...percentages, title: 'Solve rate on its own tasks', note: `${about}. The tasks change as the proposer does: a fall may mean harder tasks.`,
    series: f.domains.map((name, place) => own(name, name, colorAt(place))).filter(Boolean) }));
  for (const domain of f.domains) {
    const names = Object.keys(solving.curves).filter((name) => name.startsWith(`${domain}/`));
    const series = names.map((name) => name.slice(domain.length + 1)).map((kind) => own(`${domain}/${kind}`, kind, colorAt(f.kinds.indexOf(kind))));
    cards.push(f.chart({ ...percentages, title: `Solve rate of ${domain}, by kind`, note: about, series: series.filter(Boolean) }));
  }
  return { id: 'learning', title: 'Learning', cards };
}

/** Charts of `evals.jsonl`: what the run did not train on. */
function heldOut(f) {
  const evals = f.run.evals.filter((line) => line.overall?.pass_at_k);
  if (!evals.length) return [];
  const ks = Object.keys(evals.at(-1).overall.pass_at_k);
  const curve = (pick, k, name, color) => {
    const points = evals.map((line) => pick(line)?.pass_at_k?.[k]);
    return { name, color, x: evals.map((line) => line.step), y: points.map((one) => one?.value), low: points.map((one) => one?.ci95?.[0]), high: points.map((one) => one?.ci95?.[1]), dash: k === ks[0] ? null : '6 4' };
  };
  const suite = evals.at(-1).suite ?? 'held out';
  const n = evals.at(-1).overall.n;
  const base = { type: 'lines', format: percent, max: 1, key: true };
  const cards = [f.chart({ ...base, title: `Held-out pass@k (${suite})`, note: `${plural(n, 'task')} that the run never trains on; 95% intervals over tasks.`,
    series: f.domains.flatMap((domain, place) => ks.map((k) => curve((line) => line.by_domain?.[domain], k, `${domain} pass@${k}`, colorAt(place)))) })];
  for (const domain of f.domains) {
    const kinds = Object.keys(evals.at(-1).by_kind ?? {}).filter((name) => name.startsWith(`${domain}/`));
    cards.push(f.chart({ ...base, title: `Held-out pass@${ks[0]} of ${domain}, by kind`, series: kinds.map((name, place) => {
      const kind = name.slice(domain.length + 1);
      return curve((line) => line.by_kind?.[name], ks[0], kind, colorAt(f.kinds.includes(kind) ? f.kinds.indexOf(kind) : place));
    }) }));
  }
  if (evals.length > 1 && ks.length > 1) {
    const end = (line, name, color) => ({ name, color, x: ks.map(Number), y: ks.map((k) => line.overall.pass_at_k[k]?.value), low: ks.map((k) => line.overall.pass_at_k[k]?.ci95?.[0]), high: ks.map((k) => line.overall.pass_at_k[k]?.ci95?.[1]) });
    cards.push(chart({ ...base, unit: 'k', title: 'pass@k, start against now', note: 'Curves that meet at high k speak of sharpening rather than of new ability.',
      series: [end(evals[0], `step ${evals[0].step}`, 'c7'), end(evals.at(-1), `step ${evals.at(-1).step}`, 'c0')] }));
  }
  return cards;
}

function difficulty(f) {
  const { bins, domains } = f.run.histogram;
  const cards = [f.chart({ type: 'stack', share: true, format: percent, title: 'How hard its tasks were', note: 'New tasks by how many of their tries passed; the middle teaches most.',
    series: LEVELS.map(([level, color]) => ({ name: level, x: f.step, y: f.total(`solve_rates/${level}`), color })) })];
  for (const [domain, ends] of Object.entries(domains).sort(([a], [b]) => f.domains.indexOf(a) - f.domains.indexOf(b))) {
    const share = (counts) => { const all = counts.reduce((a, b) => a + b, 0); return counts.map((count) => (all ? count / all : null)); };
    cards.push(chart({ type: 'bars', bins, format: percent, title: `Solve rates of ${domain}`, note: 'Tasks of the first and of the last third of the steps.',
      series: [{ name: 'first third', y: share(ends.first), x: [], color: 'c7' }, { name: 'last third', y: share(ends.last), x: [], color: colorAt(f.domains.indexOf(domain)) }] }));
  }
  cards.push(f.chart({ type: 'lines', smooth: true, floor: 0.25, title: 'Learnability', note: 'Mean p(1 − p) over new tasks: 0.25 is the most there can be.', series: f.byDomain('learnability') }));
  cards.push(f.chart({ type: 'lines', smooth: true, format: percent, max: 1, title: 'Groups without a signal', note: 'Groups whose rewards are all equal: paid for, and nothing learned.', series: f.byDomain('zero_variance') }));
  cards.push(f.chart({ type: 'stack', title: 'Tries that taught', note: 'Tries in groups whose rewards differ.', series: f.byDomain('effective') }));
  return { id: 'difficulty', title: 'Difficulty', cards };
}

function curriculum(f) {
  const kinds = f.domains.flatMap((domain) => f.kinds.map((kind) => [domain, kind]));
  const planned = kinds.map(([domain, kind], place) => f.line(`${domain}/${kind}`, `domains/${domain}/kinds/${kind}/proposed`, colorAt(place)));
  return { id: 'curriculum', title: 'Curriculum', cards: [
    f.chart({ type: 'stack', share: true, format: percent, title: 'Share of the gradient', note: 'Of the summed |advantage| over the update’s sequences.', series: f.byDomain('share') }),
    f.chart({ type: 'stack', share: true, format: percent, title: 'What the proposer was asked for', series: planned.some((one) => one.y.some(isNumber)) ? planned : f.byDomain('proposed') }),
    f.chart({ type: 'lines', smooth: true, title: 'Earlier tasks tried again', series: f.byDomain('replayed') }),
    f.chart({ type: 'lines', smooth: true, title: 'Tasks retired', note: 'Solved by every try, and set aside.', series: f.byDomain('retired') }),
  ] };
}

function proposals(f) {
  const cards = [];
  for (const domain of f.domains) {
    const at = (field) => f.at(`domains/${domain}/${field}`);
    const reasons = Object.keys(f.columns).filter((path) => path.startsWith(`domains/${domain}/rejections/`));
    const sizes = reasons.map((path) => [path, f.at(path).reduce((sum, value) => sum + (value ?? 0), 0)]).sort((a, b) => b[1] - a[1]);
    const top = sizes.slice(0, 5).map(([path]) => path);
    const sum = (paths) => f.step.map((_, place) => paths.reduce((total, path) => total + (f.columns[path][place] ?? 0), 0));
    const malformed = f.step.map((_, place) => Math.max(0, (at('proposed')[place] ?? 0) - (at('well_formed')[place] ?? 0)));
    const series = [{ name: 'admitted', x: f.step, y: at('admitted'), color: 'c0' }, ...top.map((path, place) => ({ name: path.split('/').at(-1), x: f.step, y: sum([path]), color: ['c1', 'c4', 'c3', 'c5', 'c2'][place] }))];
    if (sizes.length > 5) series.push({ name: 'other reasons', x: f.step, y: sum(sizes.slice(5).map(([path]) => path)), color: 'c7' });
    series.push({ name: 'malformed', x: f.step, y: malformed, color: 'c6' });
    cards.push(f.chart({ type: 'stack', title: `What became of ${domain}’s proposals`, series: series.filter((one) => one.y.some((value) => value > 0)) }));
  }
  const unique = f.domains.map((domain, place) => ({ name: domain, x: f.step, color: colorAt(place),
    y: f.at(`domains/${domain}/unique_skeletons`).map((value, step) => (f.at(`domains/${domain}/admitted`)[step] ? value / f.at(`domains/${domain}/admitted`)[step] : null)) }));
  cards.push(f.chart({ type: 'lines', smooth: true, format: percent, max: 1, title: 'Novelty', note: 'Different skeletons among the admitted. A fall to nothing is how self-play dies.', series: unique }));
  for (const domain of f.domains) {
    const names = ['skeletons', 'behaviours', 'niches', 'tasks'];
    cards.push(f.chart({ type: 'lines', title: `Coverage of ${domain}`, note: 'What the novelty archive’s window holds.', series: names.map((name, place) => f.line(name, `domains/${domain}/coverage/${name}`, ['c0', 'c2', 'c3', 'c7'][place], { dash: name === 'tasks' ? '3 4' : null })) }));
  }
  cards.push(f.chart({ type: 'lines', smooth: true, title: 'Entropy of the proposer', note: 'Nats per token.', series: f.byDomain('proposal_entropy') }));
  cards.push(f.chart({ type: 'lines', smooth: true, title: 'Length of an answer', note: 'Mean tokens of a try at its own tasks, steps included.', series: f.byDomain('answer_tokens') }));
  for (const field of COUNTS) for (const domain of f.domains) f.used.add(`domains/${domain}/${field}`);
  return { id: 'proposals', title: 'Proposals and novelty', cards };
}

function policy(f) {
  const one = (name, heading, note, format) => f.chart({ type: 'lines', smooth: true, format, title: heading, note, series: [f.line(name, `policy/${name}`, 'c0')] });
  return { id: 'policy', title: 'Policy', cards: [
    one('loss', 'Loss', 'Mean objective per completion token, leash included.'),
    one('kl_base', 'KL to the start', 'Nats per completion token, k3 estimate.'),
    one('entropy', 'Entropy', 'Nats per completion token.'),
    one('grad_norm', 'Gradient norm', 'Before clipping.'),
    one('clip_fraction', 'Clipped tokens', 'Whose ratio left the trust region.', percent),
    one('samples', 'Sequences in the update'),
  ] };
}

function costs(f) {
  const rate = (path) => f.at(path).map((value, place) => (isNumber(value) && f.at('seconds')[place] ? value / f.at('seconds')[place] : null));
  const statuses = Object.entries(f.run.verdicts).sort(([a], [b]) => Object.keys(STATUS_COLORS).indexOf(a) - Object.keys(STATUS_COLORS).indexOf(b));
  const steps = [...new Set(statuses.flatMap(([, pairs]) => pairs.map(([step]) => step)))].sort((a, b) => a - b);
  const verdicts = statuses.map(([status, pairs]) => { const byStep = new Map(pairs); return { name: status, x: steps, y: steps.map((step) => byStep.get(step) ?? 0), color: STATUS_COLORS[status] ?? 'c5' }; });
  return { id: 'costs', title: 'Time, throughput and verdicts', cards: [
    f.chart({ type: 'stack', format: (value) => `${number(value)} s`, title: 'Where a step’s time goes', series: PHASES.map((phase, place) => f.line(phase, `phase_seconds/${phase}`, colorAt(place))) }),
    f.chart({ type: 'lines', smooth: true, title: 'Tokens per second', note: 'Over the whole step.', series: [{ name: 'generated', x: f.step, y: rate('tokens/generated'), color: 'c0' }, { name: 'trained', x: f.step, y: rate('tokens/trained'), color: 'c1' }] }),
    f.chart({ type: 'stack', share: true, format: percent, title: 'Verdicts', note: 'Of all tries; malformed holds no answer, fault is the verifier’s own failure.', series: verdicts }),
    f.chart({ type: 'lines', format: memory, title: 'Peak memory', note: 'Bytes of the main process and of its largest finished child.', series: [f.line('memory', 'memory_mb', 'c0')] }),
    f.chart({ type: 'lines', title: 'Faults', note: 'Checks lost to a verifier’s own failure.', series: [f.line('faults', 'faults', 'c3')] }),
  ] };
}

/** Whatever else the metrics hold, each field a chart of its own, so that a new figure is never invisible. */
function others(f) {
  const known = (path) => f.used.has(path) || /\/(kinds|rejections|solve_rates|coverage)\//.test(path) || /^domains\/[^/]+\/solve_rate$/.test(path);
  const groups = new Map();
  for (const path of Object.keys(f.columns).filter((one) => !known(one))) {
    const domain = f.domains.find((name) => path.startsWith(`domains/${name}/`));
    const field = domain ? path.slice(`domains/${domain}/`.length) : path;
    groups.set(field, [...(groups.get(field) ?? []), f.line(domain ?? field, path, domain ? colorAt(f.domains.indexOf(domain)) : 'c0')]);
  }
  return { id: 'others', title: 'More measures', cards: [...groups].slice(0, 60).map(([field, series]) => f.chart({ type: 'lines', smooth: true, title: title(field.replaceAll('/', ' · ')), series })) };
}
