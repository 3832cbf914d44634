// Where the figures come from: blocks of this file, or the server that sent it. Both give the same objects.

const inlineOverview = document.getElementById('overview');
const isLive = inlineOverview === null;

async function unpack(stream) {
  return new Response(stream.pipeThrough(new DecompressionStream('gzip'))).json();
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

async function readOverview() {
  return isLive ? (await get('data/overview')).json() : JSON.parse(inlineOverview.textContent);
}

async function readBlock(name) {
  if (isLive) return (await get(`data/${name}`)).json();
  return unpack(new Blob([fromBase64(document.getElementById(name).textContent)]).stream());
}

const CHUNK = 100;
const chunkName = (row) => `chunk-${row.table}-${Math.floor((row.seq - 1) / CHUNK)}`;

/** Every row of both tables, newest first, as small objects; texts stay in their chunks until they are wanted. */
class Library {
  constructor(names) {
    this.names = new Set(names);
    this.kept = new Map();
    this.rows = [];
    this.byId = new Map();
  }

  static async open(names) {
    const library = new Library(names);
    if (!names.length) return library;
    for (const table of ['tasks', 'proposals']) {
      const columns = await readBlock(`index-${table}`);
      const keys = Object.keys(columns);
      columns.seq.forEach((_, place) => {
        const row = { table };
        for (const key of keys) row[key] = columns[key][place];
        row.rate = row.scored ? row.score / row.scored : null;
        row.hay = `${row.id} ${row.domain} ${row.kind} ${row.outcome} ${row.reason ?? ''} ${row.preview}`.toLowerCase();
        library.rows.push(row);
        library.byId.set(row.id, row);
      });
    }
    const tasks = library.rows.filter((row) => row.table === 'tasks');
    const bySeq = new Map(tasks.map((row) => [row.seq, row]));
    for (const row of tasks) row.parents = row.parents.map((seq) => bySeq.get(seq)).filter(Boolean);
    for (const row of tasks) for (const parent of row.parents) (parent.children ??= []).push(row);
    library.rows.sort((a, b) => b.step - a.step || b.seq - a.seq);
    return library;
  }

  has(row) {
    return isLive || this.names.has(chunkName(row));
  }

  /** The chunk that holds a row's texts; the last few stay unpacked. */
  async chunk(name) {
    if (!this.kept.has(name)) {
      this.kept.set(name, readBlock(name));
      if (this.kept.size > 12) this.kept.delete(this.kept.keys().next().value);
    }
    return this.kept.get(name);
  }

  /** All that is known of a row; null where the file had no room for it. */
  async entry(row) {
    if (!this.has(row)) return null;
    return (await this.chunk(chunkName(row))).find((entry) => entry.seq === row.seq) ?? null;
  }

  /**
   * Rows among `rows` whose texts hold every word: first by the index, then chunk by chunk.
   * `tell(found, done, all)` is called as they come in; `signal` ends it.
   */
  async search(rows, words, tell, signal) {
    const rest = [];
    const found = [];
    for (const row of rows) (words.every((word) => row.hay.includes(word)) ? found : rest).push(row);
    const groups = new Map();
    for (const row of rest) {
      if (!this.has(row)) continue;
      const name = chunkName(row);
      if (!groups.has(name)) groups.set(name, new Map());
      groups.get(name).set(row.seq, row);
    }
    let done = 0;
    tell(found, done, groups.size);
    for (const [name, wanted] of groups) {
      const entries = this.kept.has(name) ? await this.kept.get(name) : await readBlock(name);
      if (signal.aborted) return;
      for (const entry of entries) {
        const row = wanted.get(entry.seq);
        if (row && holds(entry, row, words)) found.push(row);
      }
      done += 1;
      if (done % 8 === 0 || done === groups.size) tell(found, done, groups.size);
    }
  }
}

function holds(entry, row, words) {
  const hay = `${row.hay} ${texts(entry).join('\n').toLowerCase()}`;
  return words.every((word) => hay.includes(word));
}

function texts(value) {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(texts);
}
