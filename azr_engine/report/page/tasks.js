// The list of tasks: filters, search, sorting, one page of rows in the document at a time.

const PAGE_ROWS = 25;
const RATES = [['', 'any solve rate'], ['never', 'never solved'], ['hard', 'hard: up to 1/4'], ['middle', 'middle'], ['easy', 'easy: from 3/4'], ['always', 'always solved'], ['untried', 'not tried']];
const OUTCOMES = [['tasks', 'all tasks'], ['proposed', 'proposed tasks'], ['seed', 'seed tasks'], ['drawn', 'drawn tasks'], ['lost', 'proposals that failed'], ['rejected', 'rejected proposals'], ['malformed', 'malformed proposals'], ['fault', 'proposals lost to faults'], ['', 'everything']];
const SORTS = { step: (row) => row.step, rate: (row) => row.rate ?? -1, tries: (row) => row.tries ?? -1, reward: (row) => row.reward ?? -Infinity };

function level(row) {
  if (row.rate === null) return 'untried';
  if (row.rate <= 0) return 'never';
  if (row.rate >= 1) return 'always';
  return row.rate <= 0.25 ? 'hard' : row.rate < 0.75 ? 'middle' : 'easy';
}

/** The list, kept while a task is open so that going back finds it as it was. */
class TaskList {
  constructor(library, run, state) {
    this.library = library;
    this.state = { q: '', domain: '', kind: '', rate: '', outcome: 'tasks', sort: 'step', down: '1', page: '0', ...state };
    this.body = el('tbody');
    this.status = el('p', { class: 'note', role: 'status', id: 'found' });
    this.pager = el('div', { class: 'pager' });
    const domains = [...new Set(library.rows.map((row) => row.domain))].sort();
    const kinds = [...new Set(library.rows.map((row) => row.kind))].sort();
    const search = el('input', { type: 'search', id: 'search', placeholder: 'Search ids, programs, answers, reasons, texts…', 'aria-label': 'Search', value: this.state.q, maxlength: 300, on: { input: (event) => this.later(event.target.value) } });
    this.node = el('section', { class: 'tasks' },
      el('h1', { text: 'Tasks' }),
      el('form', { class: 'filters', role: 'search', on: { submit: (event) => event.preventDefault() } }, search,
        this.select('domain', 'Domain', [['', 'all domains'], ...domains.map((name) => [name, name])]),
        this.select('kind', 'Kind', [['', 'all kinds'], ...kinds.map((name) => [name, name])]),
        this.select('outcome', 'Origin', OUTCOMES), this.select('rate', 'Solve rate', RATES)),
      this.status,
      el('div', { class: 'card wide scroll' }, el('table', { class: 'rows' }, this.head(), this.body)), this.pager);
    this.node.addEventListener('keydown', (event) => this.key(event));
    this.update();
  }

  select(name, label, options) {
    return el('select', { 'aria-label': label, id: `filter-${name}`, on: { change: (event) => this.set({ [name]: event.target.value }) } },
      options.map(([value, text]) => el('option', { value, text, selected: value === this.state[name] })));
  }

  head() {
    const column = (name, text) => el('th', { scope: 'col', 'aria-sort': this.state.sort === name ? (this.state.down ? 'descending' : 'ascending') : null },
      el('button', { type: 'button', text, on: { click: () => this.sortBy(name) } }));
    const row = el('tr', {}, column('step', 'step'), el('th', { scope: 'col', text: 'kind' }), el('th', { scope: 'col', text: 'task' }), column('tries', 'tries'), column('rate', 'solved'), column('reward', 'proposer’s reward'));
    this.headRow = row;
    return el('thead', {}, row);
  }

  sortBy(name) {
    this.set({ sort: name, down: this.state.sort === name && this.state.down ? '' : '1' });
    this.headRow.parentNode.replaceWith(this.head());
  }

  later(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.set({ q: text }), 180);
  }

  set(changes) {
    Object.assign(this.state, { page: '0' }, changes);
    history.replaceState(null, '', `#tasks?${new URLSearchParams(Object.entries(this.state).filter(([, value]) => value !== ''))}`);
    this.update();
  }

  wanted() {
    const { domain, kind, rate, outcome } = this.state;
    return this.library.rows.filter((row) => (!domain || row.domain === domain) && (!kind || row.kind === kind) && (!rate || (row.table === 'tasks' && level(row) === rate)) && fits(row, outcome));
  }

  async update() {
    this.searching?.abort();
    const words = this.state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.wanted();
    if (!words.length) {
      this.found = rows;
      this.note = '';
      this.show();
      return;
    }
    const control = (this.searching = new AbortController());
    await this.library.search(rows, words, (found, done, all) => {
      if (control.signal.aborted) return;
      this.found = found.slice();
      this.note = done < all ? ` · reading texts, ${Math.round((100 * done) / all)}%` : '';
      this.show();
    }, control.signal);
  }

  show() {
    const { sort, down } = this.state;
    const value = SORTS[sort] ?? SORTS.step;
    const sign = down ? -1 : 1;
    // Equal values keep the order of the list, newest first.
    const sorted = sort === 'step' && down ? this.found.sort((a, b) => b.step - a.step || b.seq - a.seq) : this.found.toSorted((a, b) => sign * (value(a) - value(b)));
    const pages = Math.max(1, Math.ceil(sorted.length / PAGE_ROWS));
    const page = Math.min(Number(this.state.page) || 0, pages - 1);
    this.status.textContent = `${number(sorted.length)} of ${number(this.library.rows.length)} found${this.note}`;
    clear(this.body).append(...sorted.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS).map(listRow));
    const go = (text, to, label) => el('button', { type: 'button', text, 'aria-label': label, disabled: to < 0 || to >= pages || to === page, on: { click: () => this.set({ page: String(to) }) } });
    clear(this.pager).append(go('« first', 0, 'First page'), go('‹ newer', page - 1, 'Previous page'), el('span', { text: `page ${number(page + 1)} of ${number(pages)}` }), go('older ›', page + 1, 'Next page'), go('last »', pages - 1, 'Last page'));
  }

  key(event) {
    if (event.target.tagName !== 'A' || !['ArrowDown', 'ArrowUp'].includes(event.key)) return;
    const links = [...this.body.querySelectorAll('a')];
    links[links.indexOf(event.target) + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
    event.preventDefault();
  }
}

function fits(row, outcome) {
  if (outcome === '') return true;
  if (outcome === 'tasks') return row.table === 'tasks';
  return outcome === 'lost' ? row.table === 'proposals' : row.outcome === outcome;
}

function listRow(row) {
  const open = el('a', { href: `#task/${encodeURIComponent(row.id)}`, dir: 'auto' }, shown(row.preview || row.id));
  const about = row.table === 'tasks' ? row.outcome : `${row.outcome}: ${row.reason || 'no reason'}`;
  return el('tr', {}, el('td', { class: 'n', text: number(row.step) }), el('td', {}, `${row.domain} ${row.kind}`, el('div', { class: 'note' }, shown(about))), el('td', { class: 'preview' }, open),
    el('td', { class: 'n', text: row.table === 'tasks' ? number(row.tries) : '' }), el('td', {}, rateBar(row)), el('td', { class: 'n', text: row.reward === null ? '' : number(row.reward, 2) }));
}

function rateBar(row) {
  if (row.table !== 'tasks' || row.rate === null) return null;
  return el('span', { class: 'rate' }, sv('svg', { width: 54, height: 8, 'aria-hidden': 'true' }, sv('rect', { class: 'rail', width: 54, height: 8, rx: 4 }), sv('rect', { class: 'area c0', width: 54 * row.rate, height: 8, rx: 4 })), ` ${percent(row.rate)}`);
}
