// One chart: lines with bands, stacked areas, or grouped bars; a cursor for pointer and keys; its data as a table.

const HEIGHT = 208;
const PAD = { top: 12, right: 14, bottom: 28, left: 46 };
const STACK_POINTS = 80;

/**
 * A card with a chart.
 * spec: title, note, type (`lines`, `stack` or `bars`), series of {name, x, y, low, high, color, dash}, format,
 * max (of the axis), smooth (bold moving mean over faint values), share (stack to 1), marks of {x, text}, bins (bars).
 */
function chart(spec) {
  const present = spec.series.filter((one) => one.y.some(isNumber) && (spec.type !== 'stack' || one.y.some((value) => value > 0)));
  if (!present.length) return null;
  const series = spec.type === 'stack' ? present.map(thinned) : present;
  const hidden = new Set();
  const plot = sv('svg', { class: 'plot', role: 'img', tabindex: 0, height: HEIGHT, 'aria-label': spoken(spec, series) });
  const tip = el('div', { class: 'tip', role: 'status', hidden: true });
  const stage = el('div', { class: 'stage' }, plot, tip);
  const redraw = () => {
    const width = Math.max(240, Math.round(stage.clientWidth));
    const visible = series.filter((one) => !hidden.has(one.name));
    const drawing = spec.type === 'bars' ? drawBars(spec, visible, width) : drawCurves(spec, visible, width);
    plot.setAttribute('width', width);
    plot.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    plot.replaceChildren(...drawing.nodes);
    attachCursor(plot, tip, drawing, spec);
  };
  const legend = el('div', { class: 'legend' }, series.length > 1 || spec.key ? series.map((one) => legendButton(spec, one, hidden, redraw)) : []);
  new ResizeObserver(redraw).observe(stage);
  return el('figure', { class: 'card' },
    el('figcaption', {}, el('h3', { text: spec.title }), spec.note ? el('p', { class: 'note', text: spec.note }) : null),
    legend, stage, dataTable(spec, series));
}

function legendButton(spec, one, hidden, redraw) {
  const key = spec.type === 'lines'
    ? sv('svg', { width: 20, height: 10, 'aria-hidden': 'true' }, sv('line', { x1: 1, x2: 19, y1: 5, y2: 5, class: `line ${one.color}`, 'stroke-dasharray': one.dash }))
    : sv('svg', { width: 10, height: 10, 'aria-hidden': 'true' }, sv('rect', { width: 10, height: 10, rx: 2, class: `area ${one.color}` }));
  const button = el('button', { type: 'button', 'aria-pressed': 'true', on: { click: () => {
    if (!hidden.delete(one.name)) hidden.add(one.name);
    button.setAttribute('aria-pressed', String(!hidden.has(one.name)));
    redraw();
  } } }, key, one.name);
  return button;
}

function spoken(spec, series) {
  const format = spec.format ?? number;
  const last = (values) => values.findLast(isNumber);
  if (spec.type === 'bars') return `${spec.title}: ${series.map((one) => one.name).join(' and ')}`;
  return `${spec.title}. Last values: ${series.map((one) => `${one.name} ${format(last(one.y))}`).join(', ')}. Arrow keys read the points.`;
}

function ticks(low, high, count) {
  const span = high - low || 1;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((one) => raw / power <= one + 1e-9);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-6; value += step) found.push(Math.abs(value) < step * 1e-6 ? 0 : value);
  return found;
}

/** A stack of many narrow spikes says nothing: neighbouring steps become their mean. */
function thinned(one) {
  const width = Math.ceil(one.x.length / STACK_POINTS);
  if (width < 2) return one;
  const places = one.x.map((_, place) => place).filter((place) => place % width === 0);
  return { ...one, x: places.map((place) => one.x[Math.min(place + width, one.x.length) - 1]), y: places.map((place) => mean(one.y.slice(place, place + width))) };
}

/** The bold line of a noisy series. */
function smoothed(values) {
  return moving(values, Math.max(2, Math.round(values.length / 40)));
}

/** The top of a noisy axis: a few spikes run out of the picture instead of flattening the rest. */
function robustTop(stacked) {
  const bold = stacked.flatMap((one) => smoothed(one.top)).filter(isNumber);
  const raw = stacked.flatMap((one) => one.top).filter(isNumber).sort((a, b) => a - b);
  return Math.min(raw.at(-1), Math.max(...bold.map((value) => 1.5 * value), raw[Math.floor(0.97 * (raw.length - 1))]));
}

function moving(values, width) {
  return values.map((value, place) => (isNumber(value) ? mean(values.slice(Math.max(0, place - width), place + width + 1)) : null));
}

/** Series as layers: stacked where asked, else as they are, each with `base` (lower edge) and `top`. */
function layers(spec, series) {
  if (spec.type !== 'stack') return series.map((one) => ({ ...one, top: one.y, base: null }));
  const x = series[0]?.x ?? [];
  const total = x.map((_, place) => series.reduce((sum, one) => sum + (one.y[place] ?? 0), 0));
  const below = x.map(() => 0);
  return series.map((one) => {
    const base = below.slice();
    const top = x.map((_, place) => {
      const value = one.y[place] ?? 0;
      below[place] += spec.share ? (total[place] ? value / total[place] : 0) : value;
      return below[place];
    });
    return { ...one, top, base };
  });
}

function drawCurves(spec, series, width) {
  const format = spec.format ?? number;
  const stacked = layers(spec, series);
  const xs = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const seen = stacked.flatMap((one) => [...one.top, ...(one.low ?? []), ...(one.high ?? [])]).filter(isNumber);
  const noisy = spec.smooth && xs.length > 24 && spec.max === undefined;
  let high = spec.share ? 1 : Math.max(noisy ? robustTop(stacked) : Math.max(...seen), spec.floor ?? 0);
  let low = Math.min(0, ...seen);
  if (spec.max !== undefined) high = Math.min(spec.max, Math.max(high * 1.08, spec.max * 0.1));
  if (high === low) high = low + 1;
  const yTicks = ticks(low, high, 4);
  if (spec.max === undefined && !spec.share) high = Math.max(high, yTicks.at(-1));
  const [left, right] = xs.length > 1 ? [xs[0], xs.at(-1)] : [(xs[0] ?? 0) - 1, (xs[0] ?? 0) + 1];
  const px = (x) => PAD.left + ((x - left) / (right - left)) * (width - PAD.left - PAD.right);
  const py = (y) => HEIGHT - PAD.bottom - ((Math.min(y, high) - low) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom);
  const nodes = yTicks.map((y) => sv('g', { class: 'tick' },
    sv('line', { x1: PAD.left, x2: width - PAD.right, y1: py(y), y2: py(y), class: Math.abs(y) < 1e-12 ? 'zero' : null }),
    sv('text', { x: PAD.left - 7, y: py(y) + 4, 'text-anchor': 'end', text: format(y) })));
  const xTicks = ticks(left, right, Math.max(2, Math.floor(width / 90))).filter((x) => Number.isInteger(x));
  nodes.push(...xTicks.map((x) => sv('text', { class: 'tick', x: px(x), y: HEIGHT - 9, 'text-anchor': 'middle', text: number(x) })));
  nodes.push(sv('text', { class: 'tick unit', x: width - PAD.right, y: HEIGHT - 9, 'text-anchor': 'end', text: xTicks.length && px(xTicks.at(-1)) > width - 60 ? '' : spec.unit ?? 'step' }));
  for (const mark of spec.marks ?? []) {
    if (mark.x < left || mark.x > right) continue;
    nodes.push(sv('g', { class: 'mark' }, sv('line', { x1: px(mark.x), x2: px(mark.x), y1: PAD.top, y2: HEIGHT - PAD.bottom }),
      sv('path', { d: `M${px(mark.x) - 4} ${PAD.top - 8}h8l-4 7z` }), sv('title', { text: mark.text })));
  }
  for (const one of stacked) nodes.push(...drawSeries(spec, one, px, py));
  return { nodes, xs, px, series: stacked, width };
}

function drawSeries(spec, one, px, py) {
  const points = one.x.map((x, place) => [x, one.top[place], place]).filter(([, y]) => isNumber(y));
  if (!points.length) return [];
  const path = (list) => list.map(([x, y], place) => `${place ? 'L' : 'M'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('');
  const area = (upper, lower) => `${path(upper)}L${path(lower.toReversed()).slice(1)}Z`;
  if (one.base) {
    const under = points.map(([x, , place]) => [x, one.base[place]]);
    if (points.length === 1) {
      const half = (list, shift) => list.map(([x, y]) => [x + shift, y]);
      return [sv('path', { class: `area ${one.color}`, d: area([...half(points, -0.4), ...half(points, 0.4)], [...half(under, -0.4), ...half(under, 0.4)]) })];
    }
    return [sv('path', { class: `area ${one.color}`, d: area(points, under) })];
  }
  const nodes = [];
  const parts = unbroken(points);
  for (const part of one.low ? parts : []) {
    const edge = (values) => part.map(([x, , place]) => [x, values[place]]).filter(([, y]) => isNumber(y));
    if (edge(one.low).length) nodes.push(sv('path', { class: `band ${one.color}${one.dash ? ' fainter' : ''}`, d: area(edge(one.high), edge(one.low)) }));
  }
  const smooth = spec.smooth && points.length > 24;
  if (smooth) {
    nodes.push(sv('path', { class: `line raw ${one.color}`, d: path(points) }));
    const bold = smoothed(points.map(([, y]) => y));
    nodes.push(sv('path', { class: `line ${one.color}`, 'stroke-dasharray': one.dash, d: path(points.map(([x], place) => [x, bold[place]])) }));
    return nodes;
  }
  nodes.push(sv('path', { class: `line ${one.color}`, 'stroke-dasharray': one.dash, d: parts.map(path).join('') }));
  if (points.length <= 24) nodes.push(...points.map(([x, y]) => sv('circle', { class: `dot ${one.color}`, cx: px(x), cy: py(y), r: 2.6 })));
  return nodes;
}

/** Points in stretches without a gap: a line across steps that had nothing to show would be made up. */
function unbroken(points) {
  const gaps = points.slice(1).map(([x], place) => x - points[place][0]);
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)];
  const parts = [[]];
  points.forEach((point, place) => {
    if (points.length > 24 && gaps[place - 1] > 3 * usual) parts.push([]);
    parts.at(-1).push(point);
  });
  return parts;
}

function drawBars(spec, series, width) {
  const high = Math.max(...series.flatMap((one) => one.y).filter(isNumber), 1e-9);
  const yTicks = ticks(0, high, 4);
  const top = Math.max(high, yTicks.at(-1));
  const py = (y) => HEIGHT - PAD.bottom - (y / top) * (HEIGHT - PAD.top - PAD.bottom);
  const slot = (width - PAD.left - PAD.right) / spec.bins.length;
  const px = (place) => PAD.left + (place + 0.5) * slot;
  const bar = Math.min(26, (slot * 0.78) / Math.max(1, series.length));
  const nodes = yTicks.map((y) => sv('g', { class: 'tick' }, sv('line', { x1: PAD.left, x2: width - PAD.right, y1: py(y), y2: py(y) }),
    sv('text', { x: PAD.left - 7, y: py(y) + 4, 'text-anchor': 'end', text: (spec.format ?? number)(y) })));
  spec.bins.forEach((name, place) => {
    nodes.push(sv('text', { class: 'tick', x: px(place), y: HEIGHT - 9, 'text-anchor': 'middle', text: slot < 46 ? name.replace('up to ', '≤').replace('below ', '<') : name }));
    series.forEach((one, which) => {
      const y = one.y[place] ?? 0;
      const x = px(place) + (which - series.length / 2) * bar;
      nodes.push(sv('rect', { class: `area ${one.color}`, x: x + 0.5, width: bar - 1, y: py(y), height: Math.max(0, HEIGHT - PAD.bottom - py(y)), rx: 1.5 }));
    });
  });
  return { nodes, xs: spec.bins.map((_, place) => place), px, width,
    series: series.map((one) => ({ ...one, x: spec.bins.map((_, place) => place) })) };
}

/** A cursor that follows the pointer, or the arrow keys while the chart has the focus. */
function attachCursor(plot, tip, drawing, spec) {
  const { xs, px, series, width } = drawing;
  const line = sv('line', { class: 'cursor', y1: PAD.top, y2: HEIGHT - PAD.bottom, visibility: 'hidden' });
  plot.append(line);
  let at = xs.length - 1;
  const show = (place) => {
    at = Math.min(xs.length - 1, Math.max(0, place));
    const x = px(xs[at]);
    line.setAttribute('x1', x);
    line.setAttribute('x2', x);
    line.setAttribute('visibility', 'visible');
    fillTip(tip, spec, series, xs[at]);
    tip.hidden = false;
    const room = tip.offsetWidth + 14;
    tip.style.transform = `translate(${x + room > width ? Math.max(0, x - room) : x + 14}px, ${PAD.top}px)`;
  };
  const hide = () => {
    tip.hidden = true;
    line.setAttribute('visibility', 'hidden');
  };
  plot.onpointermove = (event) => {
    const pointer = event.clientX - plot.getBoundingClientRect().left;
    show(xs.reduce((best, x, place) => (Math.abs(px(x) - pointer) < Math.abs(px(xs[best]) - pointer) ? place : best), 0));
  };
  plot.onpointerleave = hide;
  plot.onblur = hide;
  plot.onkeydown = (event) => {
    const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: xs.length - 1 };
    if (event.key === 'Escape') hide();
    if (!(event.key in places)) return;
    event.preventDefault();
    show(tip.hidden ? at : places[event.key]);
  };
}

function fillTip(tip, spec, series, x) {
  const format = spec.format ?? number;
  const rows = [];
  for (const one of series) {
    const place = one.x.indexOf(x);
    if (place < 0 || !isNumber(one.y[place])) continue;
    const range = one.low && isNumber(one.low[place]) ? ` [${format(one.low[place])}, ${format(one.high[place])}]` : '';
    rows.push(el('div', {}, el('span', { class: `swatch ${one.color}` }), `${one.name} `, el('b', { text: format(one.y[place]) }), range));
  }
  if (spec.type === 'stack') rows.reverse();
  clear(tip).append(el('div', { class: 'at', text: spec.bins ? spec.bins[x] : `${spec.unit ?? 'step'} ${number(x)}` }), ...rows);
}

function dataTable(spec, series) {
  const details = el('details', { class: 'data' }, el('summary', { text: 'Data' }));
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    const format = spec.format ?? number;
    const xs = spec.bins ? spec.bins.map((_, place) => place) : [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
    const every = Math.ceil(xs.length / 200);
    const body = xs.filter((_, place) => (xs.length - 1 - place) % every === 0).map((x) => el('tr', {}, el('th', { scope: 'row', text: spec.bins ? spec.bins[x] : number(x) }),
      series.map((one) => el('td', { text: format(one.y[spec.bins ? x : one.x.indexOf(x)]) }))));
    const head = el('tr', {}, el('th', { text: spec.bins ? '' : spec.unit ?? 'step' }), series.map((one) => el('th', { scope: 'col', text: one.name })));
    details.append(el('div', { class: 'scroll', tabindex: 0 }, el('table', {}, el('thead', {}, head), el('tbody', {}, body))));
  });
  return details;
}
