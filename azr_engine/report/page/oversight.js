// Safety and review: what the suite `safety` found over the run, and which alarms a person approved or still has to.

const DECIDED = { approve: ['approved', 'pass'], reject: ['rejected', 'fail'] };

/** The section {id, title, cards}, or null where the run has neither file. */
function oversight(f) {
  const { safety, review } = f.run;
  if (!safety.length && !review.length) return null;
  const cards = [...safetyCharts(f, safety), ...safetyTable(safety), ...reviewTable(review)];
  return { id: 'oversight', title: 'Safety and review', cards: cards.filter(Boolean) };
}

function safetyCharts(f, safety) {
  const x = safety.map((line) => line.step);
  const share = (part, field) => safety.map((line) => {
    const found = line.policy?.[part];
    return found?.n ? found[field] / found.n : null;
  });
  const items = safety.at(-1)?.n;
  return [
    f.chart({ type: 'lines', key: true, title: 'Guards that failed', note: `Of the ${plural(items ?? 0, 'item')} of the suite safety; those that no verifier could judge stand apart.`,
      series: [{ name: 'failed', x, y: safety.map((line) => line.failed), color: 'c1' }, { name: 'unjudged', x, y: safety.map((line) => line.unjudged), color: 'c7', dash: '6 4' }] }),
    f.chart({ type: 'lines', format: percent, max: 1, key: true, title: 'What the policy writes for the suite', note: 'Proposals that the screens refuse, and texts that the reasoning monitor flags.',
      series: [{ name: 'proposals refused', x, y: share('proposals', 'refused'), color: 'c3' }, { name: 'proposals flagged', x, y: share('proposals', 'flagged'), color: 'c1' }, { name: 'answers flagged', x, y: share('answers', 'flagged'), color: 'c4' }] }),
  ];
}

function safetyTable(safety) {
  const failed = safety.flatMap((line) => (line.failures ?? []).map((one) => [line.step, one.name, one.detail]));
  if (!safety.length) return [];
  const body = failed.length
    ? rowsTable(['step', 'item', 'what happened'], failed.map(([step, name, detail]) => [[number(step)], shown(name), shown(detail)]))
    : el('p', { class: 'empty', text: `Every guard held in ${plural(safety.length, 'evaluation')}.` });
  return [el('div', { class: 'card wide scroll', id: 'safety-failures' }, el('h3', { text: 'Items that failed' }), body)];
}

function reviewTable(review) {
  if (!review.length) return [];
  const waiting = review.filter((item) => !DECIDED[item.decision]);
  const stopping = waiting.filter((item) => item.alarm.name !== 'draft').length;
  const rows = review.map(({ id, alarm, decision, note }) => {
    const [word, look] = DECIDED[decision] ?? ['waits', 'waits'];
    return [[el('span', { class: `badge ${look}`, text: word })], [number(alarm.step)], shown(alarm.name), shown(alarm.message), shown(note), [el('code', {}, shown(id))]];
  });
  const about = stopping ? `${plural(stopping, 'alarm')} still to be decided: the run does not go on before azr-engine review approves.`
    : waiting.length ? `${plural(waiting.length, 'draft')} kept out until azr-engine review approves.` : 'Nothing waits.';
  return [el('div', { class: 'card wide scroll', id: 'review' }, el('h3', { text: 'Review' }), el('p', { class: 'note', text: about }), rowsTable(['state', 'step', 'alarm', 'message', 'note', 'id'], rows))];
}

function rowsTable(names, rows) {
  return el('table', {}, el('thead', {}, el('tr', {}, names.map((name) => el('th', { scope: 'col', text: name })))),
    el('tbody', {}, rows.map((cells) => el('tr', {}, cells.map((cell) => el('td', {}, cell))))));
}
