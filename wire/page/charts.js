// Pictures, by Vega-Lite on SVG. Expressions are interpreted: the page's policy allows no eval. Every picture is hidden
// from screen readers but for one sentence and has its figures as a table beside it.
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif';
const ROW_PX = 24;
const BARS_MAX = 15;
const pending = [];  // one function a picture, which draws it at its present width and gives a promise

const CONFIG = {
  background: 'transparent', font: FONT, aria: false,
  view: {stroke: null},
  axis: {labelColor: 'var(--muted)', titleColor: 'var(--muted)', gridColor: 'var(--line)', domainColor: 'var(--line)',
         tickColor: 'var(--line)', labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', labelLimit: 170},
  text: {color: 'var(--text)', fontSize: 12},
};

function draw(holder, spec, width) {
  const full = {...spec, $schema: 'https://vega.github.io/schema/vega-lite/v6.json', width, config: CONFIG,
                autosize: {type: 'fit', contains: 'padding'}};
  const runtime = vega.parse(vegaLite.compile(full).spec, null, {ast: true});
  const view = new vega.View(runtime, {renderer: 'svg', expr: vega.expressionInterpreter, hover: false,
                                       logger: vega.logger(vega.Error)});
  holder.replaceChildren();
  return view.initialize(holder).runAsync().then(() => holder.querySelector('svg').setAttribute('aria-hidden', 'true'));
}

// The picture, its sentence for those who do not see it, and its figures.
function chart(title, sentence, spec, figures, key) {
  const holder = el('div', {class: 'chart', role: 'img', 'aria-label': cut(sentence, 400)});
  let drawn = 0;
  pending.push(() => {
    const width = Math.floor(holder.clientWidth);
    if (width === drawn || width === 0) return Promise.resolve();
    drawn = width;
    return draw(holder, spec, width);
  });
  return el('figure', {}, title ? el('figcaption', {}, title) : null, el('p', {class: 'note'}, sentence), key || null, holder,
            figures ? details('Figures of this picture', figures) : null);
}

function drawAll() { return Promise.all(pending.map((one) => one())); }

function legend(...entries) {
  return el('ul', {class: 'key'}, entries.map(([kind, text]) => el('li', {class: kind}, text)));
}

const COLOURS = {domain: ['after', 'before', 'float'], range: ['var(--after)', 'var(--before)', 'var(--float)']};
const byTone = {field: 'tone', type: 'nominal', scale: COLOURS, legend: null};

// Horizontal bars with their values; rows: [{label, value, text, tone}], drawn in their order.
function barsSpec(rows, axisTitle) {
  const y = {field: 'row', type: 'ordinal', sort: null, axis: {title: null, ticks: false, domain: false,
             labelExpr: 'data(\'labels\')[datum.value].label', labelPadding: 8}};
  const x = {field: 'value', type: 'quantitative', axis: {title: axisTitle, tickCount: 5}, scale: {nice: false, zero: true}};
  const data = rows.map((row, i) => ({row: i, value: row.value, text: row.text, tone: row.tone}));
  return {
    height: rows.length * ROW_PX + 44,
    datasets: {labels: rows.map((row) => ({label: shortName(row.label, 26)}))},
    layer: [
      {data: {values: data}, mark: {type: 'bar', cornerRadiusEnd: 2, height: {band: 0.62}},
       encoding: {x, y, color: byTone}},
      {data: {values: data}, mark: {type: 'text', align: 'left', dx: 5}, encoding: {x, y, text: {field: 'text'}}},
      {data: {name: 'labels'}, mark: {type: 'point', opacity: 0}},
    ],
  };
}

// Points in a plane; rows: [{x, y, tone, text}].
function pointsSpec(rows, xAxis, yAxis, line) {
  const x = {field: 'x', type: 'quantitative', axis: {title: xAxis, tickCount: 6, tickMinStep: line ? 1 : undefined}, scale: {zero: false, nice: true, padding: 16}};
  const y = {field: 'y', type: 'quantitative', axis: {title: yAxis, tickCount: 5}, scale: {zero: false, nice: true, padding: 12}};
  const layer = [{mark: {type: 'point', filled: true, size: 70, opacity: 0.9}, encoding: {x, y, color: byTone}}];
  if (line) layer.unshift({mark: {type: 'line', color: 'var(--line)', strokeWidth: 1.5}, encoding: {x, y}});
  if (rows.some((row) => row.text)) {
    layer.push({mark: {type: 'text', align: 'right', dx: -9, dy: -8}, encoding: {x, y, text: {field: 'text'}}});
  }
  return {height: 240, data: {values: rows}, layer};
}

// Seen and chosen ranges, each tensor on its own scale of -1 .. 1.
function rangesSpec(rows) {
  const y = {field: 'row', type: 'ordinal', sort: null, axis: {title: null, ticks: false, domain: false, labelPadding: 8,
             labelExpr: 'data(\'labels\')[datum.value].label'}};
  const bar = (from, to, height, tone) => ({data: {values: rows}, mark: {type: 'bar', height, color: tone, cornerRadius: 2},
      encoding: {y, x: {field: from, type: 'quantitative', axis: {title: 'share of the largest value seen', format: '.1f', tickCount: 5}}, x2: {field: to}}});
  return {
    height: rows.length * ROW_PX + 44,
    datasets: {labels: rows.map((row) => ({label: shortName(row.label, 26)}))},
    layer: [bar('min', 'max', 4, 'var(--before)'), bar('chosen_min', 'chosen_max', 12, 'var(--after)'),
            {data: {name: 'labels'}, mark: {type: 'point', opacity: 0}}],
  };
}

// Counts of one tensor before (filled) and after (line); rows: [{x, before, after}].
function histogramSpec(rows) {
  const x = {field: 'x', type: 'quantitative', axis: {title: null, tickCount: 4, grid: false, format: '.2~g'}, scale: {zero: false, nice: false}};
  const y = (field) => ({field, type: 'quantitative', axis: null});
  return {
    height: 110, data: {values: rows},
    layer: [{mark: {type: 'area', interpolate: 'step', color: 'var(--before)', opacity: 0.55}, encoding: {x, y: y('before')}},
            {mark: {type: 'line', interpolate: 'step', color: 'var(--after)', strokeWidth: 1.5}, encoding: {x, y: y('after')}}],
  };
}

// Powers of ten up to the largest count, and 0.
function countTicks(most) {
  const ticks = [0];
  for (let tick = 1; tick <= Math.max(most, 1); tick *= 10) ticks.push(tick);
  return ticks.length > 5 ? ticks.filter((tick, i) => i < 2 || i % 2 === 1) : ticks;
}

// Counts in bins on a logarithmic axis, for tails are what matters, with the chosen range behind them as a band between two
// rules; rows: [{from, to, count, tone}], range: {min, max}.
function clippingSpec(rows, range) {
  const most = Math.max(...rows.map((row) => row.count));
  const x = (field) => ({field, type: 'quantitative', axis: {title: null, tickCount: 4, grid: false, format: '.2~g'}, scale: {zero: false, nice: false}});
  const y = {field: 'count', type: 'quantitative', scale: {type: 'symlog'}, axis: {title: null, values: countTicks(most), labelExpr: "format(datum.value, '~s')", grid: false}};
  const edge = (field) => ({data: {values: [range]}, mark: {type: 'rule', color: 'var(--after)', strokeWidth: 1.5, strokeDash: [4, 3]},
                            encoding: {x: {...x(field)}}});
  return {
    height: 150,
    layer: [{data: {values: [range]}, mark: {type: 'rect', color: 'var(--after)', opacity: 0.14}, encoding: {x: x('min'), x2: {field: 'max'}}},
            {data: {values: rows}, mark: 'bar', encoding: {x: x('from'), x2: {field: 'to'}, y, y2: {datum: 0}, color: byTone}},
            edge('min'), edge('max')],
  };
}
