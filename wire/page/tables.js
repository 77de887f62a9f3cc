// Tables and sections, the frame of the page.
const ROWS_SHOWN = 12;

// columns: [{title, of: row => string or Node, number}], the first one heads its row.
function table(caption, columns, rows) {
  const cell = (column, row, first) => {
    const value = column.of(row);
    return el(first ? 'th' : 'td', {scope: first ? 'row' : undefined, class: column.number ? 'number' : undefined},
              typeof value === 'string' ? cut(value, SENTENCE_CHARS_MAX) : value);
  };
  const used = columns.filter((column, i) => i === 0 || !column.optional || rows.some((row) => column.optional(row)));
  const head = el('tr', {}, used.map((c) => el('th', {scope: 'col', class: c.number ? 'number' : undefined}, c.title)));
  const body = rows.map((row) => el('tr', {}, used.map((column, i) => cell(column, row, i === 0))));
  // A region that scrolls must be reachable by keyboard.
  return el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
            el('table', {}, el('caption', {}, caption), el('thead', {}, head), el('tbody', {}, body)));
}

function details(summary, ...content) { return el('details', {}, el('summary', {}, summary), ...content); }

// The first rows at once, all of them on demand.
function longTable(caption, columns, rows) {
  if (rows.length <= ROWS_SHOWN) return table(caption, columns, rows);
  return details(`${caption}: all ${countText(rows.length)} rows`, table(caption, columns, rows));
}

// A section with an entry in the contents; nothing when there is nothing in it.
function section(id, title, note, ...content) {
  const shown = content.flat().filter(Boolean);
  if (shown.length === 0) return;
  const heading = el('h2', {id: id + '-title'}, title);
  document.getElementById('main').append(el('section', {id, 'aria-labelledby': id + '-title'}, heading,
      note ? el('p', {class: 'note'}, note) : null, ...shown));
  document.getElementById('contents').append(el('li', {}, el('a', {href: '#' + id}, title)));
}

// Groups that this page does not know by name: as they are.
function plainValue(value) {
  if (value === null || value === undefined) return '–';
  if (isNumber(value)) return Number.isInteger(value) ? countText(value) : significant(value, 4);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return cut(value, 400);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.slice(0, 40).map((v) => asText(v)).join('; ');
  return asText(value);
}

function asText(value) {
  if (!group(value)) return String(plainValue(value));
  return Object.entries(value).slice(0, 40).map(([key, inner]) => `${words(key)} ${plainValue(inner)}`).join(', ');
}

function plainGroup(title, value) {
  if (Array.isArray(value) && value.length > 0 && value.every(group)) {
    const keys = [...new Set(value.slice(0, 200).flatMap(Object.keys))].slice(0, 12);
    return longTable(title, keys.map((key) => ({title: words(key), of: (row) => plainValue(row[key]),
                                                number: value.some((row) => isNumber(row[key]))})), value);
  }
  const rows = group(value) ? Object.entries(value) : list(value).map((v, i) => [String(i + 1), v]);
  return rows.length === 0 ? null
      : table(title, [{title: 'What', of: (row) => words(row[0])}, {title: 'Value', of: (row) => plainValue(row[1])}], rows);
}
