// One task or proposal: what was asked, what was written, what the verifiers said, and where it came from.

const ANCESTORS = 12;
const RELATIVES = 40;

async function entryView(library, id) {
  const row = library.byId.get(id);
  const back = el('a', { href: '#tasks', class: 'back', id: 'back', text: '← all tasks' });
  if (!row) return [back, el('p', { class: 'empty' }, 'There is no task ', ...shown(id), ' in this report.')];
  const entry = await library.entry(row);
  const head = [back, el('h1', {}, `${row.domain} ${row.kind} `, el('code', {}, shown(row.id))), el('p', { class: 'facts' }, shown(factsOf(row)))];
  const parts = entry ? bodyOf(entry) : [el('p', { class: 'empty', text: 'The file had no room for the texts of older tasks. “azr-engine tasks RUN --id ID” prints them, “azr-engine watch RUN” shows them.' })];
  return [...head, ...(row.table === 'tasks' ? [lineage(row)] : []), ...parts];
}

function factsOf(row) {
  const facts = [`step ${row.step}`, row.outcome];
  if (row.table === 'tasks') facts.push(plural(row.tries, 'try').replace('trys', 'tries'), row.rate === null ? 'no scored try' : `solved ${percent(row.rate)}`);
  else facts.push(row.reason || 'no reason');
  if (isNumber(row.reward)) facts.push(`proposer’s reward ${number(row.reward)}`);
  return facts.join(' · ');
}

function bodyOf(entry) {
  const parts = [];
  if (entry.given) parts.push(fieldsCard('Given to the solver', entry.given), fieldsCard('Gold, which the solver never sees', isRecord(entry.gold) ? entry.gold : { gold: entry.gold }));
  if (entry.attempts?.length) parts.push(attempts(entry.attempts));
  if (entry.prompt) parts.push(folded('The solver’s prompt', entry.prompt));
  if (entry.proposal) parts.push(proposalCard(entry.proposal));
  if (entry.draft && Object.keys(entry.draft).length) parts.push(folded('Draft', entry.draft));
  if (entry.given) parts.push(folded('Skeleton and signature', { skeleton: entry.skeleton, signature: entry.signature }));
  return parts;
}

function fieldsCard(heading, fields) {
  return el('section', { class: 'card wide' }, el('h2', { text: heading }), fieldList(fields));
}

function fieldList(fields) {
  return Object.entries(fields).map(([name, value]) => el('div', { class: 'field' }, el('h3', {}, shown(name)), block(asText(value))));
}

const isRecord = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function asText(value) {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => one && typeof one === 'object' && 'input' in one && 'output' in one)) return value.map((one) => `${asText(one.input)} → ${asText(one.output)}`).join('\n');
  return JSON.stringify(value, null, 1);
}

function folded(heading, value) {
  return el('details', { class: 'card wide' }, el('summary', { text: heading }), typeof value === 'string' ? block(value) : fieldList(value));
}

function attempts(tries) {
  const rows = tries.map((one) => el('li', { class: `try ${one.status}` },
    el('div', { class: 'verdict' }, el('span', { class: `badge ${one.status}`, text: one.status }), ` ${[`step ${one.step}`, `score ${number(one.score)}`, one.reward === null ? 'reward masked' : `reward ${number(one.reward)}`, plural(one.n_tokens, 'token'), one.finish === 'length' ? 'cut at the limit' : ''].filter(Boolean).join(' · ')}`, one.reason ? el('span', { class: 'reason' }, ' · ', ...shown(one.reason)) : null),
    block(one.text)));
  return el('section', { class: 'card wide' }, el('h2', { text: `Tries (${tries.length})` }), el('ol', { class: 'tries' }, rows));
}

function proposalCard(proposal) {
  const facts = [`step ${proposal.step}`, proposal.outcome, proposal.reason, isNumber(proposal.reward) ? `reward ${number(proposal.reward)}` : 'reward masked', plural(proposal.n_tokens, 'token')].filter(Boolean).join(' · ');
  return el('section', { class: 'card wide' }, el('h2', { text: 'What the proposer wrote' }), el('p', { class: 'note' }, shown(facts)), block(proposal.text),
    proposal.prompt ? el('details', {}, el('summary', { text: 'The proposer’s prompt' }), block(proposal.prompt)) : null);
}

/** Parents (shown to the proposer), the line of first parents back to a seed, and children. */
function lineage(row) {
  const line = [row];
  const seen = new Set([row]);
  while (line[0].parents.length && line.length < ANCESTORS && !seen.has(line[0].parents[0])) {
    seen.add(line[0].parents[0]);
    line.unshift(line[0].parents[0]);
  }
  const chain = line.flatMap((one, place) => [place ? el('span', { class: 'note', 'aria-hidden': 'true', text: ' → ' }) : null, one === row ? el('b', { text: 'this task' }) : relative(one)]);
  const children = row.children ?? [];
  const list = (tasks) => el('ul', { class: 'relatives' }, tasks.slice(0, RELATIVES).map((one) => el('li', {}, relative(one), ' ', rateBar(one), ' ', el('span', { class: 'preview' }, shown(one.preview)))), tasks.length > RELATIVES ? el('li', { class: 'note', text: `and ${tasks.length - RELATIVES} more` }) : null);
  return el('section', { class: 'card wide', id: 'lineage' }, el('h2', { text: 'Lineage' }),
    el('p', { class: 'chain' }, line.length > 1 ? chain : 'It has no parents.'),
    row.parents.length ? [el('h3', { text: 'Shown to its proposer' }), list(row.parents)] : null,
    el('h3', { text: children.length ? `Shown when these were proposed (${children.length})` : 'No later task was proposed from it.' }), children.length ? list(children) : null);
}

function relative(row) {
  return el('a', { href: `#task/${encodeURIComponent(row.id)}`, title: row.id, text: `${row.outcome === 'seed' ? 'seed ' : ''}${row.id.slice(0, 8)} (step ${row.step})` });
}
