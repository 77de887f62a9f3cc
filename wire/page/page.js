// Reads the report that the page holds, shows its sections and draws their pictures; again when the page gets another width.
const SHOWN = new Set(['input', 'output', 'latency', 'accuracy', 'error', 'operators', 'plan', 'timing', 'peak_rss_bytes', 'compatibility',
  'warnings', 'provenance', 'graph', 'calibration', 'stages', 'rule_matches', 'sensitivity', 'verdict', 'transform_peak_rss_bytes', 'histograms', 'gates', 'causes', 'profile', 'size', 'memory']);

// Groups that have no section of their own yet are shown as tables: nothing of the report is kept from the reader.
function showOthers(report) {
  for (const [key, value] of Object.entries(report)) {
    if (SHOWN.has(key) || value === null || typeof value !== 'object') continue;
    section('group-' + cut(key, 40).replace(/[^a-z0-9]/gi, '-'), words(key).replace(/^./, (c) => c.toUpperCase()), null, plainGroup(words(key), value));
  }
}

function show(report) {
  document.getElementById('main').replaceChildren();
  showVerdict(report);
  for (const part of [showGates, showComparison, showError, showWarnings, showCauses, showTried, showOperators, showSensitivity, showProfile, showRanges, showHistograms, showSize,
                      showCompatibility, showOthers, showPlan, showProvenance]) {
    part(report);
  }
}

let wait = 0;
function drawSoon() {
  clearTimeout(wait);
  wait = setTimeout(drawAll, 120);
}

show(JSON.parse(document.getElementById('report').textContent));
drawAll().then(() => {
  document.documentElement.dataset.drawn = 'true';
  addEventListener('resize', drawSoon);
});
