// Reads the data out of the page and fills it, from the top down.

async function unpacked() {
  const packed = atob(document.getElementById("data").textContent);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function head(page) {
  const facts = Object.entries(page.facts).map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)));
  document.getElementById("head").append(
    h("p", { class: "above" }, "Run of the rationale factory"),
    h("h1", {}, page.run),
    h("p", { class: "description" }, page.description),
    h("p", { class: `state ${page.state.startsWith("finished") ? "finished" : ""}` }, page.state),
    h("dl", { class: "facts" }, ...facts),
  );
}

const counts = (generations, of) => {
  const names = [...new Set(generations.flatMap((one) => Object.keys(of(one) ?? {})))].sort();
  return names.map((name) => [name, (one) => number(of(one)?.[name])]);
};

const ofHealth = (name, shown) => (one) => (one.health?.[name] == null ? null : shown(one.health[name]));
const HEALTH = [
  ["pass@1 of the train split", ofHealth("pass@1", percent)],
  ["its 95% interval", ofHealth("interval", (bounds) => bounds.map((bound) => (100 * bound).toFixed(1)).join(" to "))],
  ["pass@k", ofHealth("pass@k", (at) => Object.entries(at).slice(1).map(([k, share]) => `@${k} ${percent(share)}`).join(", "))],
  ...["solved", "rationalized", "easy", "near_duplicates", "length_drift"].map((name) => [`${name.replaceAll("_", " ")}, share`, ofHealth(name, percent)]),
  ...["newly_solved", "newly_lost", "distinct_rationales", "length", "tokens_per_example"].map((name) => [name.replaceAll("_", " "), ofHealth(name, number)]),
];

// Rows of the table: a heading, or a name with what a generation's cell says.
function rows(generations) {
  const figures = Object.keys(Object.assign({}, ...generations.map((one) => one.eval)));
  const overTurns = figures.filter((name) => name.includes("@t") && generations.some((one) => one.eval[name] != null));
  const groups = [...new Set(generations.flatMap((one) => Object.keys(one.eval.by_difficulty)))];
  const checks = [...new Set(generations.flatMap((one) => Object.entries(one.checks ?? {}).flatMap(
    ([name, origins]) => Object.keys(origins).map((origin) => `${name}: ${origin}`))))];
  const told = generations.filter((one) => one.health);
  const flawed = [...new Set(told.flatMap((one) => Object.keys(one.health.flawed)))];
  const passed = (name) => (one) => {
    const [check, origin] = name.split(": ");
    const found = one.checks?.[check]?.[origin];
    const others = found?.not_applicable ? `, not of ${number(found.not_applicable)}` : "";
    return found && `${number(found.passed)} of ${number(found.passed + found.failed)}${others}`;
  };
  return [
    ["model", (one) => one.model],
    ["Accuracy"],
    ["accuracy", (one) => percent(one.eval["pass@1"])],
    ["95% interval", (one) => one.eval.interval && one.eval.interval.map((bound) => (100 * bound).toFixed(1)).join(" to ")],
    ...overTurns.map((name) => [name, (one) => percent(one.eval[name])]),
    ...groups.map((name) => [name, (one) => percent(one.eval.by_difficulty[name])]),
    ["Sampling"],
    ...["questions", "solved", "attempts"].map((name) => [name, (one) => number(one[name])]),
    ["Examples, by origin"],
    ...counts(generations, (one) => one.examples),
    ["Rejects, by reason"],
    ...counts(generations, (one) => one.rejects),
    ...(checks.length ? [["Checks passed, by origin"], ...checks.map((name) => [name, passed(name)])] : []),
    ...(told.length ? [["Health"], ...HEALTH, ...flawed.map((name) => [`flawed by ${name}`, (one) => percent(one.health?.flawed[name])]),
      ["advice", (one) => one.health?.advice]] : []),
    ["Cost"],
    ["completion tokens", (one) => number(one.completion_tokens)],
    ["seconds", (one) => number(Math.round(Object.values(one.seconds).reduce((sum, each) => sum + each, 0)))],
    ["Published"],
    ["dataset", (one) => one.dataset],
  ];
}

function table(generations) {
  const across = generations.map((one) => h("th", { scope: "col" }, `gen ${one.generation}`));
  const body = rows(generations).map(([name, cell]) => cell
    ? h("tr", {}, h("th", { scope: "row" }, name), ...generations.map((one) => h("td", {}, cell(one) ?? "")))
    : h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: generations.length + 1 }, name)));
  return h("table", {}, h("thead", {}, h("tr", {}, h("td"), ...across)), h("tbody", {}, ...body));
}

const page = await unpacked();
head(page);
accuracyFigures(page.generations, document.querySelector("#accuracy .figures"));
funnelFigures(page.generations, document.querySelector("#funnel .figures"));
document.querySelector("#generations .wide").append(table(page.generations));
browse(page);
document.documentElement.dataset.ready = "yes";
