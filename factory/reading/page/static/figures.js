// Small makers of elements and texts, and the figures. Every text goes in as a text node, never as HTML.

const made = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};
const h = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  made(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const number = (value) => (value == null ? null : value.toLocaleString("en"));
const percent = (share) => (share == null ? null : `${(100 * share).toFixed(1)}%`);

const HEIGHT = 240;
const MARGIN = { left: 46, right: 18, top: 22, bottom: 42 };
const MOST_GROUPS = 12; // more lines than that cannot be told apart; the table has all of them
const COLOURS = 8; // --series-0 ... in the style sheet; beyond them lines are dashed

// Shares by model or turn as lines: series [{name, values, bounds: [[low, high] or null, ...] or none}].
function lines(title, across, ticks, series) {
  const known = series.filter((one) => one.values.some((value) => value != null));
  if (!known.length) return null;
  const drawn = h("div", { class: "drawing" });
  const legend = known.map((one, i) => h("li", {}, swatch(i), one.name));
  const figure = h("figure", {}, h("figcaption", {}, title), known.length > 1 ? h("ul", { class: "legend" }, ...legend) : null, drawn);
  const label = `${title}. ` + known.map((one) => `${one.name}: ${one.values.map((value) => percent(value) ?? "not measured").join(", ")}`).join(". ");
  new ResizeObserver(([entry]) => drawn.replaceChildren(plot(entry.contentRect.width, label, across, ticks, known))).observe(drawn);
  return figure;
}

const dashes = (i) => (i < COLOURS ? null : "5 4");
const colour = (i) => `var(--series-${i % COLOURS})`;

function swatch(i) {
  const line = svg("line", { x1: 0, x2: 20, y1: 5, y2: 5, stroke: colour(i), "stroke-width": 3, "stroke-dasharray": dashes(i) });
  return svg("svg", { width: 20, height: 10, "aria-hidden": "true" }, line);
}

function plot(width, label, across, ticks, series) {
  const highest = Math.max(...series.flatMap((one) => [...one.values, ...(one.bounds ?? []).flat()]).filter((value) => value != null));
  const top = [0.1, 0.2, 0.4, 0.6, 0.8].find((limit) => highest <= limit) ?? 1;
  const inner = width - MARGIN.left - MARGIN.right;
  const x = (i) => MARGIN.left + (ticks.length > 1 ? (i * inner) / (ticks.length - 1) : inner / 2);
  const y = (share) => MARGIN.top + (1 - share / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const parts = [0, 0.25, 0.5, 0.75, 1].map((part) => svg("g", { class: "grid" },
    svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(part * top), y2: y(part * top) }),
    svg("text", { x: MARGIN.left - 8, y: y(part * top) + 4, "text-anchor": "end" }, `${+(100 * part * top).toFixed(1)}%`)));
  const every = Math.ceil((ticks.length * 34) / Math.max(inner, 1));
  ticks.forEach((tick, i) => i % every || parts.push(
    svg("text", { class: "tick", x: x(i), y: HEIGHT - MARGIN.bottom + 18, "text-anchor": "middle" }, tick)));
  parts.push(svg("text", { class: "tick", x: MARGIN.left + inner / 2, y: HEIGHT - 6, "text-anchor": "middle" }, across));
  series.forEach((one, s) => {
    const points = one.values.map((value, i) => [i, value]).filter(([, value]) => value != null);
    const bounds = points.filter(([i]) => one.bounds?.[i]);
    const edge = (side) => bounds.map(([i]) => `${x(i)},${y(one.bounds[i][side])}`);
    parts.push(
      bounds.length ? svg("polygon", { class: "band", fill: colour(s), points: [...edge(0), ...edge(1).reverse()].join(" ") }) : "",
      ...bounds.map(([i]) => svg("line", { class: "whisker", stroke: colour(s), x1: x(i), x2: x(i), y1: y(one.bounds[i][0]), y2: y(one.bounds[i][1]) })),
      svg("polyline", { class: "line", stroke: colour(s), "stroke-dasharray": dashes(s), points: points.map(([i, value]) => `${x(i)},${y(value)}`).join(" ") }),
      ...points.map(([i, value]) => svg("circle", { cx: x(i), cy: y(value), r: 4, fill: colour(s) },
        svg("title", {}, `${one.name}, ${across} ${ticks[i]}: ${percent(value)}${one.bounds?.[i] ? ` (95%: ${one.bounds[i].map(percent).join(" to ")})` : ""}`))));
    if (series.length === 1) points.filter(([i]) => i % every === 0).forEach(([i, value]) => parts.push(
      svg("text", { class: "value", x: x(i) + 8, y: y(value) + (value > 0.9 * top ? 18 : -9), "text-anchor": i && i === ticks.length - 1 ? "end" : "start" }, percent(value))));
  });
  return svg("svg", { role: "img", "aria-label": label, width, height: HEIGHT }, ...parts.filter((part) => part !== ""));
}

function accuracyFigures(generations, into) {
  const measured = generations.filter((one) => one.eval["pass@1"] != null);
  const models = measured.map((one) => String(one.generation));
  const series = (names, of) => names.map((name) => ({ name, values: measured.map((one) => of(one.eval, name)) }));
  const overTurns = [...new Set(measured.flatMap((one) => Object.keys(one.eval)))].filter((name) => name.includes("@t"));
  const groups = [...new Set(measured.flatMap((one) => Object.keys(one.eval.by_difficulty)))];
  const inFigure = groups.length > MOST_GROUPS ? [] : groups;
  const byTurn = measured.filter((one) => one.eval.per_turn).map((one) => ({ name: `model ${one.generation}`, values: one.eval.per_turn.accuracy }));
  const turns = Array.from({ length: Math.max(0, ...byTurn.map((one) => one.values.length)) }, (_, turn) => String(turn + 1));
  const accuracy = { name: "accuracy", values: measured.map((one) => one.eval["pass@1"]), bounds: measured.map((one) => one.eval.interval) };
  into.append(...[
    lines("Accuracy of each model, with its 95% interval", "model", models, [accuracy]),
    lines("Accuracy by difficulty", "model", models, series(inFigure, (one, name) => one.by_difficulty[name])),
    lines("Over turns and in parallel", "model", models, series(overTurns, (one, name) => one[name])),
    lines("Accuracy by turn of the dialogue", "turn", turns, byTurn),
  ].filter(Boolean));
  if (!into.childElementCount) into.append(h("p", {}, "No model has been measured yet."));
}

// A bar chart a generation: questions to one scale, attempts to another.
function funnelFigures(generations, into) {
  const sampled = generations.filter((one) => one.questions != null);
  const questions = Math.max(...sampled.map((one) => one.questions));
  const attempts = Math.max(...sampled.map((one) => one.attempts));
  for (const one of sampled) {
    const made = Object.entries(one.examples ?? {}).filter(([origin]) => origin !== "reference");
    const kept = made.reduce((sum, [, count]) => sum + count, 0);
    const bars = [
      ["questions", questions, one.questions, [["all", one.questions]]],
      ["solved without a hint", questions, one.questions, [["all", one.solved]]],
      ["attempts", attempts, one.attempts, [["all", one.attempts]]],
      ["correct", attempts, one.attempts, [["all", one.verdicts.correct ?? 0]]],
      ...(one.examples ? [["examples", attempts, one.attempts, made]] : []),
    ];
    const parts = bars.flatMap(([name, scale, whole, pieces], i) => bar(name, scale, whole, pieces, 46 * i + (i > 1 ? 8 : 0)));
    const label = `Generation ${one.generation}: ` + bars.map(([name, , , pieces]) => `${name} ${pieces.reduce((sum, [, count]) => sum + count, 0)}`).join(", ");
    const legend = made.filter(([, count]) => count).map(([origin]) => h("li", {}, h("span", { class: `dot origin-${origin}` }), origin));
    into.append(h("figure", { class: "funnel" },
      h("figcaption", {}, `Generation ${one.generation}`),
      svg("svg", { role: "img", "aria-label": label, width: "100%", height: 46 * bars.length + 8 }, ...parts),
      h("ul", { class: "legend" }, ...(kept ? ["examples: ", ...legend] : []))));
  }
  if (!sampled.length) into.append(h("p", {}, "No generation has been sampled yet."));
}

function bar(name, scale, whole, pieces, top) {
  const total = pieces.reduce((sum, [, count]) => sum + count, 0);
  const share = total === whole ? "" : ` (${percent(total / Math.max(whole, 1))})`;
  let before = 0;
  const drawn = pieces.map(([piece, count]) => {
    const [x, width] = [before, count].map((part) => `${(100 * part) / Math.max(scale, 1)}%`);
    before += count;
    return svg("rect", { class: `origin-${piece}`, x, width, y: top + 20, height: 14 }, svg("title", {}, `${name}, ${piece}: ${number(count)}`));
  });
  return [
    svg("text", { x: 0, y: top + 14 }, name),
    svg("text", { class: "value", x: "100%", y: top + 14, "text-anchor": "end" }, number(total) + share),
    svg("rect", { class: "scale", x: 0, y: top + 20, width: `${(100 * whole) / Math.max(scale, 1)}%`, height: 14 }),
    ...drawn,
  ];
}
