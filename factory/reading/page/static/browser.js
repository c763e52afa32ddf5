// The browser of rollouts: filters that count, a list that holds only the rows in sight, one attempt in full.

const ROW = 60; // pixels; --row in the style sheet
const SPARE = 6; // rows beyond each edge of the list

// What an attempt can be filtered by: key, label, and the value of row i.
function facetsOf(page, text) {
  const { attempts, rollouts, checks } = page;
  const checked = checks.map((results) => {
    const found = results.map(([, passed]) => passed);
    if (found.includes(false)) return "some failed";
    if (!found.includes(null)) return found.length ? "all passed" : "none made";
    return found.includes(true) ? "none failed" : "none applied";
  });
  const ofRollout = (column) => (i) => text(rollouts[column][attempts.rollout[i]]);
  const facets = [
    ["generation", "Generation", (i) => String(rollouts.generation[attempts.rollout[i]])],
    ["split", "Split", ofRollout("split")],
    ["verdict", "Verdict", (i) => text(attempts.verdict[i])],
    ["origin", "Origin", (i) => text(attempts.origin[i])],
    ["difficulty", "Difficulty", ofRollout("difficulty")],
    ["outcome", "Outcome", (i) => text(attempts.outcome[i])],
    ["reason", "Reject reason", (i) => text(attempts.reason[i])],
    ["checks", "Checks", (i) => checked[attempts.checks[i]]],
  ];
  return facets.map(([key, label, valueOf]) => {
    const seen = new Map();
    const codes = Uint16Array.from(attempts.rollout, (_, i) => {
      const value = valueOf(i) ?? "none";
      if (!seen.has(value)) seen.set(value, seen.size);
      return seen.get(value);
    });
    return { key, label, codes, values: [...seen.keys()] };
  });
}

function browse(page) {
  const { attempts, rollouts } = page;
  const text = (code) => (code === null ? null : page.texts[code]);
  const total = attempts.rollout?.length ?? 0;
  const [shown, all] = page.drawn.attempts;
  const byId = (id) => document.getElementById(id);
  const list = byId("list");
  byId("drawn").textContent = !total ? "No rollouts are finished yet."
    : shown === all ? `All ${number(all)} attempts of the run, those of the evaluation too.`
    : `Questions drawn by the run's seed, each with all its attempts: ${number(shown)} of ${number(all)} attempts, ${page.drawn.questions.map(number).join(" of ")} questions.`;
  if (!total) {
    for (const part of document.querySelectorAll("#filters, .bar, .browser")) part.remove();
    return;
  }
  const facets = facetsOf(page, text);
  let rows = new Int32Array(0); // the attempts that pass the filters
  let chosen = 0; // an attempt
  let lowered = null; // texts in lower case, once a search needs them

  for (const facet of facets) {
    const order = facet.values.map((value, code) => [value, code]).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
    facet.select = h("select", { name: facet.key, onchange: () => { filter(); keepInHash(); } }, h("option", { value: "" }));
    for (const [value, code] of order) facet.select.append(h("option", { value, "data-code": code }));
    const label = h("label", {}, facet.label, facet.select);
    label.hidden = facet.values.length < 2;
    byId("filters").append(label);
  }

  // Whether a text holds what is searched for, by its code; null if nothing is.
  function found() {
    const wanted = byId("search").value.trim().toLowerCase();
    if (!wanted) return null;
    lowered ??= page.texts.map((one) => one.toLowerCase());
    return Uint8Array.from(lowered, (one) => one.includes(wanted));
  }

  function filter() {
    const hits = found();
    const ofRollout = hits && rollouts.question.map((question, rollout) => hits[question] || hits[rollouts.answer[rollout]]);
    const hit = (i) => hits[attempts.completion[i]] || hits[attempts.attempt_id[i]] || hits[attempts.predicted_answer[i]] || ofRollout[attempts.rollout[i]];
    const wanted = facets.map((facet) => Number(facet.select.selectedOptions[0].dataset.code ?? -1));
    const codes = facets.map((facet) => facet.codes);
    const counts = facets.map((facet) => new Int32Array(facet.values.length));
    const passing = new Int32Array(total);
    let passed = 0;
    for (let i = 0; i < total; i++) {
      if (hits && !hit(i)) continue;
      let misses = 0;
      let missed = 0;
      for (let f = 0; f < codes.length && misses < 2; f++) {
        if (wanted[f] !== -1 && codes[f][i] !== wanted[f]) {
          misses++;
          missed = f;
        }
      }
      // a filter's own counts are of what all the others let through
      if (misses === 0) {
        passing[passed++] = i;
        for (let f = 0; f < codes.length; f++) counts[f][codes[f][i]]++;
      } else if (misses === 1) counts[missed][codes[missed][i]]++;
    }
    rows = passing.subarray(0, passed);
    facets.forEach((facet, f) => {
      for (const option of facet.select.options) {
        const code = option.dataset.code;
        option.textContent = code === undefined ? "all" : `${option.value} (${number(counts[f][code])})`;
      }
    });
    byId("count").textContent = `${number(passed)} of ${number(total)} attempts`;
    byId("spacer").style.height = `${passed * ROW}px`;
    list.scrollTop = 0;
    if (passed && place(chosen) < 0) choose(rows[0]);
    else reveal();
  }

  // Where an attempt stands among the rows, which are in order; negative if it is not among them.
  function place(attempt) {
    let [low, high] = [0, rows.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (rows[middle] === attempt) return middle;
      if (rows[middle] < attempt) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
    const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + SPARE);
    const options = [];
    for (let at = first; at < last; at++) options.push(option(rows[at], at));
    byId("spacer").replaceChildren(...options);
    const active = byId(`attempt-${chosen}`);
    if (active) list.setAttribute("aria-activedescendant", active.id);
    else list.removeAttribute("aria-activedescendant");
  }

  function option(i, at) {
    const rollout = attempts.rollout[i];
    const verdict = text(attempts.verdict[i]);
    const told = [`gen ${rollouts.generation[rollout]}`, text(attempts.origin[i]), text(attempts.reason[i]) ?? text(attempts.outcome[i])];
    if (attempts.turn[i]) told.splice(1, 0, `turn ${attempts.turn[i]}`);
    const row = h("div", { role: "option", id: `attempt-${i}`, class: "row", "aria-selected": String(i === chosen), "aria-setsize": rows.length, "aria-posinset": at + 1, onclick: () => { choose(i, true); } },
      h("span", { class: "asked" }, text(rollouts.question[rollout])),
      h("span", { class: `verdict ${verdict}` }, verdict),
      h("span", { class: "told" }, told.join(" · ")),
      h("span", { class: "told answer" }, text(attempts.predicted_answer[i]) ?? "–"));
    row.style.transform = `translateY(${at * ROW}px)`;
    return row;
  }

  function reveal() {
    const at = place(chosen);
    if (at >= 0) {
      const bottom = (at + 1) * ROW - list.clientHeight;
      list.scrollTop = Math.max(bottom, Math.min(list.scrollTop, at * ROW));
    }
    draw();
  }

  function choose(attempt, show = false) {
    chosen = attempt;
    byId("detail").replaceChildren(...detail(page, text, chosen, (other) => { choose(other); keepInHash(); }));
    byId("detail").scrollTop = 0;
    reveal();
    if (show) {
      keepInHash();
      if (getComputedStyle(list.parentElement).display === "block") byId("detail").scrollIntoView(); // narrow: below the list
    }
  }

  // The hash holds what is filtered and chosen, so that a link shows the same.
  function keepInHash() {
    const kept = new URLSearchParams();
    for (const facet of facets) if (facet.select.value) kept.set(facet.key, facet.select.value);
    if (byId("search").value) kept.set("search", byId("search").value);
    kept.set("attempt", text(attempts.attempt_id[chosen]));
    history.replaceState(null, "", `#${kept}`);
  }

  function readHash() {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const { key, values, select } of facets) select.value = values.includes(kept.get(key)) ? kept.get(key) : "";
    byId("search").value = kept.get("search") ?? "";
    const id = page.texts.indexOf(kept.get("attempt"));
    const linked = id < 0 ? -1 : attempts.attempt_id.indexOf(id);
    filter();
    choose(linked >= 0 ? linked : rows[0] ?? 0);
  }

  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };
  list.addEventListener("keydown", (event) => {
    if (!(event.key in steps) || !rows.length || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(rows[Math.max(0, Math.min(rows.length - 1, place(chosen) + steps[event.key]))]);
    keepInHash();
  });
  list.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(draw).observe(list);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  let typing = 0;
  byId("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { filter(); keepInHash(); }, 120);
  });
  byId("reset").addEventListener("click", () => {
    for (const { select } of facets) select.value = "";
    byId("search").value = "";
    filter();
    keepInHash();
  });
  addEventListener("hashchange", readHash);
  readHash();
}
