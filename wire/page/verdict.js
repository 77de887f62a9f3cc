// What the reader is told first: one sentence, a badge, and what must not be missed.

function ratio(before, after) { return isNumber(before) && isNumber(after) && after > 0 && before > 0 ? before / after : null; }

function sizePart(report) {
  const factor = ratio(report.input?.bytes, report.output?.bytes);
  if (factor === null) return null;
  if (factor >= 1.05) return `${timesText(factor)} smaller`;
  return factor >= 1 ? 'about as large' : `${timesText(1 / factor)} larger`;
}

function speedPart(report) {
  const latency = report.latency;
  // The ranking comes with an interval and knows what noise is; medians alone do not.
  if (latency?.ranking === 'no difference') return 'as fast';
  const factor = latency?.ranking && latency.ratio > 0 ? 1 / latency.ratio : ratio(latency?.input_ms, latency?.output_ms);
  if (factor === null) return null;
  if (factor > 1.05) return `${timesText(factor)} faster`;
  return factor >= 1 / 1.05 ? 'as fast' : `${timesText(1 / factor)} slower`;
}

function isShare(metric) { return /^(top\d|argmax|agreement|map|f1|em|auc|wer|cer|accuracy)/.test(String(metric)); }

// A value of the report's accuracy, by its unit; reports of old have none.
function metricText(accuracy, value) {
  switch (accuracy.unit) {
    case 'fraction': return percentText(value);
    case 'percent': return isNumber(value) ? significant(value) + '\u00a0%' : '–';
    case 'db': return dbText(value);
    case undefined: return isShare(accuracy.metric) ? percentText(value) : significant(value, 4);
    default: return significant(value, 4);
  }
}

// The output that is farthest from the input file's.
function worstOutput(report) {
  const known = list(report.error?.outputs).filter((output) => isNumber(output.sqnr_db));
  return known.reduce((worst, output) => (worst === null || output.sqnr_db < worst.sqnr_db ? output : worst), null);
}

function closenessPart(report) {
  const accuracy = group(report.accuracy);
  if (accuracy && isNumber(accuracy.output)) {
    return `${cut(accuracy.metric, 30)} ${metricText(accuracy, accuracy.output)} instead of ${metricText(accuracy, accuracy.input)}`;
  }
  const worst = worstOutput(report);
  if (worst === null) return null;
  if (worst.sqnr_db >= 200) return 'with exactly the same answers';
  // Error amplitude as a share of the signal's: what 40 dB means to a person.
  const share = Math.pow(10, -worst.sqnr_db / 20);
  return `with answers ${percentText(share)} away from the original’s`;
}

function sentence(report) {
  if (!report.output) return withoutOutput(report);
  const head = [sizePart(report), speedPart(report)].filter(Boolean).join(' and ');
  const close = closenessPart(report);
  const text = [head, close].filter(Boolean).join(', ');
  return text ? text.charAt(0).toUpperCase() + text.slice(1) + '.' : 'The result was written and verified.';
}

function withoutOutput(report) {
  if (isNumber(report.latency?.input_ms)) return `One run takes ${msText(report.latency.input_ms)}.`;
  if (isNumber(report.accuracy?.input)) {
    return `${cut(report.accuracy.metric, 30)} is ${metricText(report.accuracy, report.accuracy.input)}.`;
  }
  if (list(report.sensitivity).length > 0) return 'What each operator adds to the error; no file was made.';
  return list(report.plan).length > 0 ? 'A plan: nothing was made yet.' : 'There is nothing to compare in this report.';
}

function failedGates(report) {
  return list(report.gates).filter((gate) => group(gate) && gate.met === false);
}

function badge(report) {
  if (failedGates(report).length > 0) return el('p', {class: 'badge bad'}, 'A gate was not met');
  if (list(report.verdict).length > 0) return el('p', {class: 'badge look'}, 'Look before you use it');
  if (report.output) return el('p', {class: 'badge good'}, 'Loaded, run and verified');
  return null;
}

function tile(what, figure, was) {
  return el('div', {class: 'tile'}, el('p', {class: 'what'}, what), el('p', {class: 'figure'}, figure), el('p', {class: 'was'}, was || '\u00a0'));
}

function tiles(report) {
  const found = [];
  const {input, output, latency, accuracy} = report;
  if (output) found.push(tile('Size', bytesText(output.bytes), `was ${bytesText(input?.bytes)}`));
  if (isNumber(output?.zstd_bytes)) found.push(tile('Download', bytesText(output.zstd_bytes), `was ${bytesText(input?.zstd_bytes)}, zstd`));
  if (isNumber(latency?.output_ms)) found.push(tile('One run', msText(latency.output_ms), `was ${msText(latency.input_ms)}`));
  if (isNumber(accuracy?.output)) {
    found.push(tile(cut(accuracy.metric, 20), metricText(accuracy, accuracy.output), `was ${metricText(accuracy, accuracy.input)}`));
  }
  const worst = worstOutput(report);
  if (worst) {
    found.push(tile(list(report.error.outputs).length > 1 ? 'Worst output' : 'Closeness', dbText(worst.sqnr_db),
                    `SQNR, ${countText(report.error.samples)} ${report.error.synthetic ? 'synthetic ' : ''}samples`));
  }
  return found.length === 0 ? null : el('div', {class: 'tiles'}, found);
}

function showVerdict(report) {
  const alerts = [...list(report.verdict), ...failedGates(report).map((gate) => `Gate not met: ${cut(gate.gate, 200)}, the value is ${significant(gate.value, 4)}`)];
  document.getElementById('main').append(...[
    el('h1', {}, sentence(report)), badge(report),
    sentenceList(alerts, 600),
    tiles(report)].filter(Boolean));
  document.title = 'Lathe: ' + sentence(report);
}
