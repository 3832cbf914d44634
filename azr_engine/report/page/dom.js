// Elements, texts and numbers. No function here parses markup: what is written comes out as text.

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element. `props`: `text`, `class`, `on` (listeners by name), and any attribute. */
function el(name, props = {}, ...children) {
  return fill(document.createElement(name), props, children);
}

/** An SVG element, like `el`. */
function sv(name, props = {}, ...children) {
  return fill(document.createElementNS(SVG, name), props, children);
}

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'text') node.textContent = value;
    else if (key === 'on') for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// Controls, invisible and bidirectional marks, and halves of surrogate pairs: shown by their code points.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Nodes that show `text` as it is written; what would act or hide is named in its place. */
function shown(text) {
  const nodes = [];
  let from = 0;
  for (const match of String(text).matchAll(HIDDEN)) {
    if (match.index > from) nodes.push(document.createTextNode(match.input.slice(from, match.index)));
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    nodes.push(el('span', { class: 'hidden-character', text: `U+${code}` }));
    from = match.index + match[0].length;
  }
  nodes.push(document.createTextNode(String(text).slice(from)));
  return nodes;
}

/** A block of model-written text. */
function block(text, props = {}) {
  return el('pre', { tabindex: 0, dir: 'auto', ...props }, shown(text));
}

function clear(node) {
  node.replaceChildren();
  return node;
}

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const number = (value, digits = 3) => {
  if (!isNumber(value)) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return value.toLocaleString('en');
  const size = Math.abs(value);
  if (size >= 1e6) return value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 2 });
  if (size !== 0 && size < 1e-3) return value.toExponential(1);
  return value.toLocaleString('en', { maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(size + 1))) });
};
const percent = (value) => (isNumber(value) ? `${(100 * value).toFixed(value !== 0 && Math.abs(value) < 0.0995 ? 1 : 0)}%` : '–');
const duration = (seconds) => {
  if (!isNumber(seconds)) return '–';
  if (seconds < 90) return `${number(seconds, 3)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
};
const memory = (mebibytes) => (mebibytes < 1000 ? `${number(mebibytes, 3)} M` : `${number(mebibytes / 1024, 2)} G`);
const mean = (values) => {
  const present = values.filter(isNumber);
  return present.length ? present.reduce((sum, value) => sum + value, 0) / present.length : null;
};
const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;
