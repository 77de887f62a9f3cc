// Words and elements. Everything that comes from a report is hostile: it reaches the page as text nodes only, without
// control characters, and cut where no reader would follow.
const NAME_CHARS_MAX = 90;
const SENTENCE_CHARS_MAX = 2000;

// C0 and C1 controls, and the marks that change the direction of what follows.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/g;

// More marks on one letter than any language has reach over the lines above.
const STACKED = /(\p{M}{3})\p{M}+/gu;

function cut(text, max) {
  const head = String(text).slice(0, 4 * max).replace(UNSEEN, ' ').replace(STACKED, '$1');
  return head.length > max ? head.slice(0, max - 1) + '…' : head;
}

// The end of a tensor's name says most: layers share their beginning.
function shortName(name, max) {
  const text = cut(name, 400);
  return text.length > max ? '…' + text.slice(text.length - max + 1) : text;
}

// el('p', {class: 'note'}, 'text', child): attributes by name, strings as text nodes.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function nameNode(name, max = NAME_CHARS_MAX) { return el('bdi', {class: 'name'}, cut(name, max) || '(no name)'); }

function isNumber(value) { return typeof value === 'number' && Number.isFinite(value); }

// Three significant digits, never in exponents for the sizes that reports have.
function significant(value, digits = 3) {
  if (!isNumber(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(digits - 1);
  const decimals = size === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toLocaleString('en', {maximumFractionDigits: decimals});
}

function bytesText(bytes) {
  if (!isNumber(bytes)) return '–';
  if (bytes < 1000) return bytes + '\u00a0B';
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes, unit = -1;
  while (value >= 999.5 && unit < units.length - 1) { value /= 1000; ++unit; }
  return significant(value) + '\u00a0' + units[unit];
}

function msText(ms) { return isNumber(ms) ? significant(ms) + '\u00a0ms' : '–'; }
function secondsText(seconds) { return seconds < 1 ? msText(1000 * seconds) : significant(seconds) + '\u00a0s'; }
function dbText(db) { return !isNumber(db) ? '–' : db >= 200 ? 'exact' : db.toFixed(1) + '\u00a0dB'; }
function percentText(share) { return isNumber(share) ? significant(100 * share) + '\u00a0%' : '–'; }
function countText(value) { return isNumber(value) ? value.toLocaleString('en') : '–'; }

// How many times, as people say it; below 10 with two digits.
function timesText(factor) { return factor.toLocaleString('en', {maximumFractionDigits: factor < 10 ? 1 : 0}) + '×'; }

function list(value) { return Array.isArray(value) ? value : []; }
function group(value) { return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null; }

// Sentences as a list, without those that are blank.
function sentenceList(texts, max) {
  const shown = list(texts).slice(0, 200).map((text) => cut(text, max)).filter((text) => text.trim());
  return shown.length === 0 ? null : el('ul', {class: 'alerts'}, shown.map((text) => el('li', {}, text)));
}

// snake_case keys as words.
function words(key) { return cut(key, 60).replaceAll('_', ' '); }
