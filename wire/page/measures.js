// Sections of what was measured beyond the figures before and after: gates, causes of error, kernels, bytes.

function showGates(report) {
  const gates = list(report.gates).filter(group);
  const number = (key) => (row) => significant(row[key], 4);
  section('gates', 'Gates', null, gates.length ? table('What the result had to fulfil', [
    {title: 'Gate', of: (row) => cut(row.gate, 200)}, {title: 'Met', of: (row) => el('span', {class: row.met ? 'good' : 'bad'}, row.met ? 'yes' : 'no')},
    {title: 'Value', of: number('value'), number: true}, {title: 'Threshold', of: number('threshold'), number: true},
    {title: 'Margin', of: number('margin'), number: true}], gates) : null);
}

function showCauses(report) {
  const causes = list(report.causes).filter((row) => group(row) && isNumber(row.share));
  if (causes.length === 0) return;
  const label = (row) => `${row.index} ${cut(row.kind, 40)}`;
  section('causes', 'Why there is error', 'What adds most, largest first, and the one setting to try next.',
          chart('Largest causes', `${words(causes[0].cause).replace(/^./, (c) => c.toUpperCase())} at operator ${label(causes[0])} makes ${percentText(causes[0].share)} of what all operators add.`,
                barsSpec(causes.slice(0, BARS_MAX).map((row) => ({label: label(row), value: 100 * row.share, text: `${percentText(row.share)}, ${cut(row.cause, 30)}`, tone: 'float'})), '% of the added error'),
                null),
          table('Causes', [{title: 'Operator', of: label}, {title: 'Output', of: (row) => nameNode(row.name, 60)}, {title: 'Cause', of: (row) => cut(row.cause, 60)},
                           {title: 'SQNR of it', of: (row) => dbText(row.sqnr_db), number: true}, {title: 'Try', of: (row) => cut(row.advice, 400)}], causes));
}

function kernelPicture(title, profile) {
  const kernels = list(profile?.kernels).filter((row) => isNumber(row.ms)).sort((a, b) => b.ms - a.ms).slice(0, BARS_MAX);
  if (kernels.length === 0) return null;
  return chart(title, `${percentText(profile.delegated_share)} of ${countText(profile.operators)} operators ran in XNNPACK, ${msText(profile.delegated_ms)}; the runtime’s own kernels took ${msText(profile.builtin_ms)}.`,
      barsSpec(kernels.map((row) => ({label: row.kernel, value: row.ms, text: msText(row.ms), tone: row.delegated ? 'after' : 'float'})), 'ms a run'),
      table('Kernels', [{title: 'Kernel', of: (row) => cut(row.kernel, 100)}, {title: 'Operator', of: (row) => (isNumber(row.index) ? String(row.index) : '–')},
                        {title: 'Time', of: (row) => msText(row.ms), number: true}], kernels),
      legend(['after', 'XNNPACK'], ['float', 'built-in kernel']));
}

function showProfile(report) {
  const {input, output} = group(report.profile) || {};
  section('profile', 'Where the time goes', 'Measured with the runtime’s profiler on, which costs time itself.',
          kernelPicture(output ? 'Slowest kernels of the result' : 'Slowest kernels', output || input),
          output && input ? details('Before', plainGroup('Slowest kernels of the input', list(input.kernels).slice(0, 40))) : null);
}

const weightColumns = [
  {title: 'What', of: (row) => cut(row.name, 60)}, {title: 'Bytes', of: (row) => bytesText(row.bytes), number: true}, {title: 'Numbers', of: (row) => countText(row.weights), number: true},
  {title: 'Tensors', of: (row) => countText(row.tensors), number: true}, {title: 'Zero', of: (row) => percentText(row.zero_share), number: true}];

function byteBars(title, size) {
  const rows = list(size?.by_operator).slice(0, BARS_MAX);
  if (rows.length === 0) return null;
  return chart(title, `${bytesText(size.weights_bytes)} of ${bytesText(size.bytes)} are weights, ${percentText(size.zero_share)} of them zero.`,
               barsSpec(rows.map((row) => ({label: row.name, value: row.bytes / 1e6, text: bytesText(row.bytes), tone: 'after'})), 'MB of weights'),
               table('Weights by operator', weightColumns, rows));
}

function showSize(report) {
  const {input, output} = group(report.size) || {};
  const size = output || input;
  if (!group(size)) return;
  const tensors = list(size.tensors);
  section('size', 'Where the bytes are', null, byteBars(output ? 'Weights of the result by operator' : 'Weights by operator', size),
          list(size.by_type).length ? table('Weights by type', weightColumns, list(size.by_type)) : null,
          output && list(input?.by_type).length ? details('Weights by type, before', table('Weights by type, before', weightColumns, list(input.by_type))) : null,
          tensors.length ? details(`Largest ${countText(tensors.length)} tensors`, table('Largest tensors', [
            {title: 'Tensor', of: (row) => nameNode(row.name, 60)}, {title: 'Type', of: (row) => cut(row.type, 20)}, {title: 'Shape', of: (row) => list(row.shape).slice(0, 8).join(' × ')},
            {title: 'Bytes', of: (row) => bytesText(row.bytes), number: true}, {title: 'Zero', of: (row) => percentText(row.zero_share), number: true},
            {title: 'Bits a weight', of: (row) => significant(row.entropy_bits), number: true, optional: (row) => isNumber(row.entropy_bits)}], tensors)) : null);
}
