// The sections of the page, in its order. Each takes the report and shows nothing when its groups are absent.

function change(before, after) {
  if (!isNumber(before) || !isNumber(after) || before === 0) return '–';
  const share = 100 * (after / before - 1);
  return (share > 0 ? '+' : share < 0 ? '−' : '') + Math.abs(share).toFixed(1) + ' %';
}

// Between shares: 91.2 % after 91.5 % is 0.3 points less, whatever that is in percent of 91.5.
function points(before, after) {
  if (!isNumber(before) || !isNumber(after)) return '–';
  const difference = 100 * (after - before);
  return (difference > 0 ? '+' : difference < 0 ? '−' : '') + significant(Math.abs(difference)) + ' points';
}

function comparisonRows(report) {
  const {input, output, latency, accuracy} = report;
  const rows = [];
  const add = (what, before, after, text, difference = change) => {
    if (isNumber(before) || isNumber(after)) rows.push({what, before: text(before), after: text(after), change: difference(before, after)});
  };
  add('File', input?.bytes, output?.bytes, bytesText);
  add('Compressed (zstd 3)', input?.zstd_bytes, output?.zstd_bytes, bytesText);
  add('Compressed (gzip)', report.size?.input?.gzip_bytes, report.size?.output?.gzip_bytes, bytesText);
  add('One run, median', latency?.input_ms, latency?.output_ms, msText);
  add('One run, 90 % below', latency?.input_p90_ms, latency?.output_p90_ms, msText);
  add('One run, 99 % below', latency?.input_p99_ms, latency?.output_p99_ms, msText);
  add('Loading', latency?.input_load_ms, latency?.output_load_ms, msText);
  add('First run', latency?.input_first_run_ms, latency?.output_first_run_ms, msText);
  add('Memory, loaded', report.memory?.input?.heap_bytes, report.memory?.output?.heap_bytes, bytesText);
  add('Memory of activations', report.memory?.input?.arena_bytes, report.memory?.output?.arena_bytes, bytesText);
  if (accuracy) add(cut(accuracy.metric, 30), accuracy.input, accuracy.output, (value) => metricText(accuracy, value),
                    accuracy.unit === 'fraction' || (!accuracy.unit && isShare(accuracy.metric)) ? points : change);
  for (const figure of list(accuracy?.also)) {
    add(cut(figure.metric, 30), figure.input, figure.output, (value) => metricText({...figure, unit: accuracy.unit}, value), accuracy.unit === 'fraction' ? points : change);
  }
  return rows;
}

function showComparison(report) {
  const rows = comparisonRows(report);
  const columns = [{title: 'What', of: (row) => row.what}, {title: 'Before', of: (row) => row.before, number: true},
                   {title: 'After', of: (row) => row.after, number: true}, {title: 'Change', of: (row) => row.change, number: true}];
  const latency = report.latency;
  const runs = latency ? `Latency: interleaved runs on this machine, ${countText(latency.input_runs)} of the input, ${countText(latency.threads)} thread${latency.threads === 1 ? '' : 's'}.` : null;
  const rest = (key, known) => {
    const left = Object.fromEntries(Object.entries(group(report[key]) || {}).filter(([name]) => !known.includes(name)));
    return Object.keys(left).length ? details(`More of ${words(key)}`, plainGroup(words(key), left)) : null;
  };
  // The headline's factor rests on rounds, not on the medians of the table: say how sure it is.
  const ranked = isNumber(latency?.ratio_low) && isNumber(latency?.ratio_high) && latency.ratio_low > 0
      ? `Ranked by ${countText(latency.rounds)} rounds: ${cut(latency.ranking, 40)}; the time is ${significant(latency.ratio_low, 2)} to ${significant(latency.ratio_high, 2)} of the input’s.` : null;
  const real = typeof report.accuracy?.verdict === 'string' ? report.accuracy.verdict : '';
  section('comparison', report.output ? 'Before and after' : 'Measured', [runs, ranked, cut(real, 400)].filter(Boolean).join(' '),
          rows.length ? table('Figures before and after', report.output ? columns : columns.slice(0, 2), rows) : null,
          rest('accuracy', ['metric', 'input', 'output', 'also', 'verdict', 'unit', 'higher_is_better']),
          rest('latency', ['input_ms', 'output_ms', 'input_p90_ms', 'output_p90_ms', 'input_runs', 'threads', 'input_p99_ms', 'output_p99_ms',
                           'input_load_ms', 'output_load_ms', 'input_first_run_ms', 'output_first_run_ms']));
}

function showError(report) {
  const outputs = list(report.error?.outputs);
  const note = report.error?.synthetic ? 'The samples were made from the seed: they say little about accuracy.'
      : report.error?.held_back ? 'Measured on samples that nothing was chosen by.' : 'Measured on the given samples.';
  section('error', 'Closeness to the original', `${note} SQNR: power of the signal over power of the error; 20 dB is a tenth of the amplitude, 40 dB a hundredth.`,
          outputs.length ? longTable('Outputs', [
            {title: 'Output', of: (row) => nameNode(row.name)},
            {title: 'SQNR', of: (row) => dbText(row.sqnr_db), number: true},
            {title: 'without mean', of: (row) => dbText(row.sqnr_mean_removed_db), number: true, optional: (row) => isNumber(row.sqnr_mean_removed_db)},
            {title: 'same best answer', of: (row) => percentText(row.argmax_agreement), number: true, optional: (row) => isNumber(row.argmax_agreement)},
            {title: 'ties', of: (row) => percentText(row.argmax_ties), number: true, optional: (row) => row.argmax_ties > 0},
          ], outputs) : null);
}

const stageColumns = [
  {title: 'Stage', of: (row) => cut(row.stage, 60)}, {title: 'Setting', of: (row) => cut(row.setting, 200) || '–'},
  {title: 'Size', of: (row) => bytesText(row.bytes), number: true, optional: (row) => isNumber(row.bytes)},
  {title: 'Before', of: (row) => dbText(row.sqnr_before_db), number: true}, {title: 'With it', of: (row) => dbText(row.sqnr_after_db), number: true},
  {title: 'Kept', of: (row) => (row.kept ? 'yes' : 'no')}, {title: 'Seconds', of: (row) => significant(row.seconds), number: true},
  {title: 'Why', of: (row) => cut(row.reason, 300), optional: (row) => row.reason}];

// Fallback is decided by another figure than the others (the worst output without its mean), so it has its own picture.
function stagePoints(stages) {
  const measured = stages.filter((stage) => isNumber(stage.sqnr_after_db));
  if (measured.length === 0) return [];
  const first = measured[0];
  const start = isNumber(first.sqnr_before_db) ? [{stage: 'start', setting: 'nothing tried yet', sqnr_after_db: first.sqnr_before_db, bytes: first.bytes_before, kept: true}] : [];
  return [...start, ...measured];
}

// Candidates that differ by less have one size for a reader, and a picture of them is a line upwards.
const SAME_SIZE = 1.005;

function showTried(report) {
  const falls = (stage) => stage.stage === 'fallback';
  const points = stagePoints(list(report.stages).filter((stage) => !falls(stage)));
  const fallen = stagePoints(list(report.stages).filter(falls));
  const sizes = (fallen.length > 1 ? fallen : points).filter((point) => isNumber(point.bytes));
  const key = () => legend(['after', 'kept'], ['before', 'dropped']);
  const tone = (point) => (point.kept ? 'after' : 'before');
  const pictures = [];
  if (points.length > 1) {
    const measured = points.length - 1 === 1 ? '1 change' : `${points.length - 1} changes`;
    const best = Math.max(...points.filter((point) => point.kept).map((point) => point.sqnr_after_db));
    pictures.push(chart('Error of what was tried, in order', `${measured} were tried; the best that was kept reaches ${dbText(best)} on held-back samples. Higher is closer.`,
        pointsSpec(points.map((point, i) => ({x: i, y: point.sqnr_after_db, tone: tone(point)})), 'order in which it was tried', 'SQNR, dB', true), null, key()));
  }
  const span = [Math.min(...sizes.map((point) => point.bytes)), Math.max(...sizes.map((point) => point.bytes))];
  if (span[1] > SAME_SIZE * span[0]) {
    pictures.push(chart('Size against error', `Candidates between ${bytesText(span[0])} and ${bytesText(span[1])}. Better is up and to the left.${fallen.length > 1 ? ' Figures of the worst output, its mean removed.' : ''}`,
        pointsSpec(sizes.map((point) => ({x: point.bytes / 1e6, y: point.sqnr_after_db, tone: tone(point)})), 'size, MB', 'SQNR, dB', false),
        null, key()));
  }
  section('tried', 'What was tried', 'A change stays only if the error on held-back samples falls.', pictures,
          list(report.stages).length ? longTable('Stages', stageColumns, list(report.stages)) : null);
}

function isFloat(precision) { return /^(float|dynamic|weight)/.test(String(precision)); }

function precisionBars(report) {
  const counts = new Map();
  for (const op of list(report.operators)) {
    const precision = cut(op.precision, 40) || 'unknown';
    counts.set(precision, (counts.get(precision) || 0) + 1);
  }
  const rows = [...counts].sort((a, b) => b[1] - a[1]).slice(0, BARS_MAX)
      .map(([label, value]) => ({label, value, text: String(value), tone: isFloat(label) ? 'float' : 'after'}));
  if (rows.length === 0) return null;
  const all = list(report.operators).length;
  return chart('Operators by precision', `${all} operators; ${rows.map((row) => `${row.value} ${row.label}`).slice(0, 4).join(', ')}.`,
               barsSpec(rows, 'operators'), null, legend(['after', 'integer'], ['float', 'float activations']));
}

const operatorColumns = [
  {title: 'Operator', of: (row) => `${row.index} ${cut(row.kind, 40)}`}, {title: 'Output', of: (row) => nameNode(row.name, 60)},
  {title: 'Precision', of: (row) => cut(row.precision, 60)},
  {title: 'Time', of: (row) => msText(row.ms), number: true, optional: (row) => isNumber(row.ms)},
  {title: 'SQNR', of: (row) => dbText(row.sqnr_db), number: true, optional: (row) => isNumber(row.sqnr_db)},
  {title: 'Reason', of: (row) => cut(row.reason, 300), optional: (row) => row.reason}];

function operatorLabel(op) { return `${op.index} ${cut(op.kind, 40)}`; }

function timeBars(operators) {
  const timed = operators.filter((op) => isNumber(op.ms)).sort((a, b) => b.ms - a.ms);
  if (timed.length === 0) return null;
  const all = timed.reduce((sum, op) => sum + op.ms, 0);
  const rows = timed.slice(0, BARS_MAX);
  const share = rows.reduce((sum, op) => sum + op.ms, 0) / all;
  return chart('Time by operator', `The slowest ${rows.length} take ${percentText(share)} of ${msText(all)}.`,
               barsSpec(rows.map((op) => ({label: operatorLabel(op), value: op.ms, text: msText(op.ms), tone: isFloat(op.precision) ? 'float' : 'after'})), 'ms'),
               table('Slowest operators', operatorColumns, rows), legend(['after', 'integer'], ['float', 'float activations']));
}

function errorPoints(operators) {
  const known = operators.map((op, i) => ({...op, i})).filter((op) => isNumber(op.sqnr_db));
  if (known.length === 0) return null;
  const worst = [...known].sort((a, b) => a.sqnr_db - b.sqnr_db).slice(0, BARS_MAX);
  const points = known.map((op) => ({x: op.i, y: op.sqnr_db, tone: isFloat(op.precision) ? 'float' : 'after'}));
  return chart('Error along the model', `The farthest from the original is ${operatorLabel(worst[0])} at ${dbText(worst[0].sqnr_db)}. Lower is worse; a step down is where error enters.`,
               pointsSpec(points, 'operator, in order of execution', 'SQNR, dB', true), table('Operators with the most error', operatorColumns, worst),
               legend(['after', 'integer'], ['float', 'float activations']));
}

function showOperators(report) {
  const operators = list(report.operators);
  section('operators', 'Operators', null, precisionBars(report), timeBars(operators.slice()), errorPoints(operators),
          operators.length ? details(`All ${countText(operators.length)} operators`, table('Operators in order of execution', operatorColumns, operators)) : null,
          group(report.graph) ? details('Figures of the graph', plainGroup('Graph', report.graph)) : null);
}

function showSensitivity(report) {
  const rows = list(report.sensitivity).filter((row) => isNumber(row.alone_sqnr_db) || isNumber(row.gain_db));
  const gains = rows.filter((row) => isNumber(row.gain_db) && row.gain_db > 0).slice(0, BARS_MAX);
  const alone = rows.filter((row) => isNumber(row.alone_sqnr_db)).sort((a, b) => a.alone_sqnr_db - b.alone_sqnr_db).slice(0, BARS_MAX);
  const columns = [{title: 'Operator', of: operatorLabel}, {title: 'Output', of: (row) => nameNode(row.name, 60)},
                   {title: 'SQNR, it alone quantized', of: (row) => dbText(row.alone_sqnr_db), number: true},
                   {title: 'Gain if it stays float', of: (row) => dbText(row.gain_db), number: true}];
  section('sensitivity', 'What adds to the error', 'Each operator alone: how close the outputs are if only it is quantized, and what leaving it in float would gain.',
          gains.length ? chart('Gain if an operator stays in float', `${operatorLabel(gains[0])} would gain most: ${dbText(gains[0].gain_db)}.`,
              barsSpec(gains.map((row) => ({label: operatorLabel(row), value: row.gain_db, text: dbText(row.gain_db), tone: 'float'})), 'dB'),
              table('Gains', columns, gains)) : null,
          alone.length ? chart('Error of each operator alone', `${operatorLabel(alone[0])} alone leaves ${dbText(alone[0].alone_sqnr_db)}: the shorter the bar, the more it adds.`,
              barsSpec(alone.map((row) => ({label: operatorLabel(row), value: Math.max(0, row.alone_sqnr_db), text: dbText(row.alone_sqnr_db), tone: 'after'})), 'SQNR with only it quantized, dB'),
              null) : null,
          rows.length ? longTable('Sensitivity', columns, rows) : null);
}

function clippedShare(range) {
  const seen = range.max - range.min;
  return seen > 0 ? Math.max(0, 1 - (Math.min(range.max, range.chosen_max) - Math.max(range.min, range.chosen_min)) / seen) : 0;
}

const rangeColumns = [{title: 'Tensor', of: (row) => nameNode(row.name, 60)}, {title: 'Chosen by', of: (row) => cut(row.algorithm, 40)},
    {title: 'Seen', of: (row) => `${significant(row.min)} … ${significant(row.max)}`}, {title: 'Chosen', of: (row) => `${significant(row.chosen_min)} … ${significant(row.chosen_max)}`},
    {title: 'Cut off', of: (row) => percentText(clippedShare(row)), number: true}];

function showRanges(report) {
  const calibration = group(report.calibration);
  if (!calibration) return;
  const ranges = list(calibration.ranges).filter((row) => [row.min, row.max, row.chosen_min, row.chosen_max].every(isNumber))
      .sort((a, b) => clippedShare(b) - clippedShare(a));
  const worst = ranges.slice(0, BARS_MAX);
  const scaled = worst.map((row, i) => {
    const unit = Math.max(Math.abs(row.min), Math.abs(row.max)) || 1;
    return {row: i, label: row.name, min: row.min / unit, max: row.max / unit, chosen_min: row.chosen_min / unit, chosen_max: row.chosen_max / unit};
  });
  const notes = [...list(calibration.notable_samples).map((note) => `Sample ${countText(note.sample)}, ${cut(note.tensor, 80)}: ${cut(note.reason, 300)}`),
                 ...list(calibration.degenerate_tensors).map((note) => `${cut(note.tensor, 80)}: ${cut(note.reason, 300)}`)];
  section('ranges', 'Calibration', `${countText(calibration.samples)} samples chose the ranges; ${countText(calibration.held_back)} were held back to decide what stays.`,
          worst.length ? chart('Ranges, seen and chosen', `The ${worst.length} tensors with the most cut off; at most ${percentText(clippedShare(worst[0]))} of a seen range.`,
              rangesSpec(scaled), null, legend(['before', 'seen'], ['after', 'chosen'])) : null,
          clippingPictures(calibration),
          ranges.length ? longTable('Ranges', rangeColumns, ranges) : null,
          notes.length ? details(`${notes.length} notes on samples and tensors`, el('ul', {}, notes.slice(0, 200).map((text) => el('li', {}, text)))) : null);
}

// One tensor: how often each value was seen, and which of them the chosen range cuts off.
function clippingPicture(h, i) {
  const width = (h.max - h.min) / h.counts.length;
  const rows = h.counts.map((count, bin) => {
    const from = h.min + bin * width, middle = from + width / 2;
    return {from, to: from + width, count, tone: middle < h.chosen_min || middle > h.chosen_max ? 'float' : 'before'};
  });
  const seen = `${significant(h.min)} … ${significant(h.max)}`, chosen = `${significant(h.chosen_min)} … ${significant(h.chosen_max)}`;
  const own = isNumber(h.sqnr_db) ? ` SQNR of the tensor alone ${dbText(h.sqnr_db)}.` : '';
  return el('div', {}, el('h3', {}, nameNode(h.name, 48)),
            chart('', `${h.clipped_share > 0 ? percentText(h.clipped_share) : 'None'} of ${countText(h.values)} values cut off. Seen ${seen}, chosen ${chosen} (scale ${significant(h.scale)}, zero point ${countText(h.zero_point)}).${own}`,
                  clippingSpec(rows, {min: h.chosen_min, max: h.chosen_max}),
                  table(`Values seen of tensor ${i + 1}`, [{title: 'From', of: (row) => significant(row.from), number: true}, {title: 'to', of: (row) => significant(row.to), number: true},
                      {title: 'Values', of: (row) => countText(row.count), number: true}, {title: 'Cut off', of: (row) => (row.tone === 'float' ? 'yes' : 'no')}], rows)));
}

function clippingPictures(calibration) {
  const shown = list(calibration.histograms).filter((h) => group(h) && [h.min, h.max, h.max - h.min, h.chosen_min, h.chosen_max].every(isNumber) && h.max > h.min &&
      list(h.counts).length > 0 && h.counts.every(isNumber)).slice(0, 8);
  if (shown.length === 0) return [];
  return [el('h3', {}, 'Values of the worst tensors'),
          el('p', {class: 'note'}, 'Those with the most values cut off by their range, then those whose own error is largest. The count axis is logarithmic: tails show.'),
          legend(['before', 'values kept'], ['float', 'values cut off'], ['after', 'chosen range']), el('div', {class: 'small'}, shown.map(clippingPicture))];
}

function showHistograms(report) {
  const shown = list(report.histograms).filter((h) => group(h) && isNumber(h.min) && isNumber(h.max) && list(h.before).length > 0 && list(h.before).length === list(h.after).length);
  if (shown.length === 0) return;
  const one = (h, i) => {
    const width = (h.max - h.min) / h.before.length;
    const rows = h.before.map((count, bin) => ({x: h.min + (bin + 0.5) * width, before: count, after: h.after[bin]}));
    return el('div', {}, el('h3', {}, nameNode(h.name, 48)), chart('', `${significant(h.min)} … ${significant(h.max)}, ${bytesText(h.bytes_before)} to ${bytesText(h.bytes_after)}`, histogramSpec(rows),
        table(`Counts of tensor ${i + 1}`, [{title: 'Middle of bin', of: (row) => significant(row.x), number: true}, {title: 'Before', of: (row) => countText(row.before), number: true},
                                 {title: 'After', of: (row) => countText(row.after), number: true}], rows)));
  };
  section('weights', 'Weights before and after', 'The largest weight tensors: how often each value occurs.', legend(['before', 'before'], ['after', 'after']),
          el('div', {class: 'small'}, shown.slice(0, 8).map(one)));
}

function showPlan(report) {
  const timing = list(report.timing).filter((row) => isNumber(row.seconds));
  const total = timing.reduce((sum, row) => sum + row.seconds, 0);
  section('plan', 'How it was made', null,
          list(report.plan).length ? longTable('Passes, in order', [{title: 'Pass', of: (row) => cut(row.pass, 60)}, {title: 'What it does', of: (row) => cut(row.description, 300)},
              {title: 'Changed', of: (row) => countText(row.changed), number: true}], list(report.plan)) : null,
          timing.length ? chart('Time of the job', `${secondsText(total)} in all; peak memory ${bytesText(report.peak_rss_bytes)}.`,
              barsSpec(timing.slice(0, 24).map((row) => ({label: row.step, value: row.seconds, text: secondsText(row.seconds), tone: 'before'})), 'seconds'),
              table('Steps', [{title: 'Step', of: (row) => cut(row.step, 60)}, {title: 'Seconds', of: (row) => significant(row.seconds), number: true}], timing)) : null,
          list(report.rule_matches).length ? plainGroup('Operators that rules take', report.rule_matches) : null);
}

// The reasons that weigh most at once, the others on demand.
function reasonsNode(row) {
  const reasons = list(row.reasons).slice(0, 100).map((reason) => cut(reason, 300));
  const lines = (some) => some.map((reason) => el('div', {}, reason));
  if (reasons.length === 0) return '–';
  return el('div', {}, lines(reasons.slice(0, 3)), reasons.length > 3 ? details(`${reasons.length - 3} more`, lines(reasons.slice(3))) : null);
}

function showCompatibility(report) {
  const rows = list(report.compatibility).filter(group);
  const known = rows.filter((row) => isNumber(row.mac_share));
  const bars = known.map((row) => ({label: row.target, value: 100 * row.mac_share, text: percentText(row.mac_share), tone: row.compatible ? 'after' : 'float'}));
  const columns = [{title: 'Target', of: (row) => cut(row.target, 60)}, {title: 'Runs there whole', of: (row) => (row.compatible ? 'yes' : 'no')},
                   {title: 'Operators it takes', of: (row) => `${countText(row.accepted_operators)} of ${countText(row.operators)}`, number: true, optional: (row) => isNumber(row.operators)},
                   {title: 'of the work', of: (row) => percentText(row.mac_share), number: true, optional: (row) => isNumber(row.mac_share)},
                   {title: 'Not taken', of: reasonsNode}];
  section('compatibility', 'Where it runs', 'By rules that look at the file alone; no device was asked.',
          bars.length ? chart('Work that each target takes', `Share of the multiply-adds: ${bars.slice(0, 6).map((bar) => `${cut(bar.label, 30)} ${bar.text}`).join(', ')}.`,
              barsSpec(bars, '% of the multiply-adds'), null, legend(['after', 'runs there whole'], ['float', 'partly'])) : null,
          rows.length ? table('Targets', columns, rows) : null);
}

function showWarnings(report) {
  section('warnings', 'Warnings', null, sentenceList(report.warnings, SENTENCE_CHARS_MAX));
}

function showProvenance(report) {
  const rows = [];
  const add = (what, value) => { if (value !== undefined && value !== '') rows.push({what, value: String(value)}); };
  add('Input, SHA-256', report.input?.sha256);
  add('Output, SHA-256', report.output?.sha256);
  for (const [key, value] of Object.entries(group(report.provenance) || {})) add(words(key), Array.isArray(value) ? value.join(' ') : value);
  section('provenance', 'Provenance', 'The same model, recipe, data, seed and build give the same bytes.',
          rows.length ? table('Where these figures come from', [{title: 'What', of: (row) => row.what}, {title: 'Value', of: (row) => el('span', {class: 'name'}, cut(row.value, SENTENCE_CHARS_MAX))}], rows) : null);
}
