// Views by address (#overview, #tasks?…, #task/ID), the theme, and news from the server where there is one.

const VIEWS = [['overview', 'Overview'], ['tasks', 'Tasks']];
const main = document.getElementById('main');
let run = null;
let library = null;
let list = null;
let wantsSearch = false;

async function openLibrary() {
  library ??= Library.open(isLive ? ['live'] : run.chunks ?? []);
  return library;
}

async function route() {
  const [path, query] = decodeHash();
  for (const link of document.querySelectorAll('#views a')) link.toggleAttribute('aria-current', link.hash === (path.startsWith('task') ? '#tasks' : '#overview'));
  if (path.startsWith('task/')) {
    const books = await openLibrary();
    const view = await entryView(books, path.slice(5));
    // Another address may have been asked for while the texts were unpacked.
    if (decodeHash()[0] !== path) return;
    main.replaceChildren(...view);
    window.scrollTo(0, 0);
    document.getElementById('back').focus({ preventScroll: true });
  } else if (path === 'tasks') {
    const books = await openLibrary();
    list ??= new TaskList(books, run, Object.fromEntries(new URLSearchParams(query)));
    main.replaceChildren(list.node);
    if (!query) list.set({ page: list.state.page });
    if (wantsSearch) document.getElementById('search').focus();
    wantsSearch = false;
  } else {
    main.replaceChildren(...overviewView(run));
    window.scrollTo(0, 0);
  }
}

function decodeHash() {
  const [path, query = ''] = location.hash.slice(1).split('?');
  try {
    return [decodeURIComponent(path), query];
  } catch {
    return ['overview', ''];
  }
}

function frame() {
  document.getElementById('name').replaceChildren(...shown(run.name));
  document.getElementById('views').replaceChildren(...VIEWS.map(([id, text]) => el('a', { href: `#${id}`, text })));
  document.getElementById('foot').replaceChildren(`${isLive ? 'Live from azr-engine watch' : `Made by azr-engine report, ${new Date(run.made).toLocaleString()}`} · `, ...shown(run.folder));
}

function chooseTheme() {
  const button = document.getElementById('theme');
  const stored = () => { try { return localStorage.getItem('azr-theme'); } catch { return null; } };
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const label = () => { button.textContent = dark() ? 'Light' : 'Dark'; };
  if (stored()) document.documentElement.dataset.theme = stored();
  label();
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('azr-theme', document.documentElement.dataset.theme); } catch { /* a file may have no storage */ }
    label();
  });
}

/** Draw each finished step as it comes; the list of tasks changes only when the reader asks, so that rows stay put. */
function listen() {
  const state = document.getElementById('state');
  const source = new EventSource('events');
  source.addEventListener('changed', async () => {
    run = await readOverview();
    state.textContent = `live · step ${run.steps}`;
    frame();
    if (decodeHash()[0] === 'tasks' || decodeHash()[0].startsWith('task/')) offerRefresh(state);
    else {
      const place = window.scrollY;
      library = list = null;
      await route();
      window.scrollTo(0, place);
    }
  });
  source.onerror = () => { state.textContent = 'the server is away'; };
  source.onopen = () => { state.textContent = `live · step ${run.steps}`; };
}

function offerRefresh(state) {
  state.replaceChildren(`live · step ${run.steps} `, el('button', { type: 'button', text: 'load new tasks', on: { click: () => { library = list = null; state.textContent = `live · step ${run.steps}`; route(); } } }));
}

async function start() {
  chooseTheme();
  run = await readOverview();
  frame();
  addEventListener('hashchange', route);
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && decodeHash()[0].startsWith('task/')) location.hash = '#tasks';
    if (event.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
      event.preventDefault();
      wantsSearch = decodeHash()[0] !== 'tasks';
      if (wantsSearch) location.hash = '#tasks';
      else document.getElementById('search')?.focus();
    }
  });
  await route();
  document.documentElement.dataset.ready = 'true';
  if (isLive) listen();
}

start().catch((error) => { main.replaceChildren(el('p', { class: 'empty', text: `The report cannot be shown: ${error.message}` })); throw error; });
