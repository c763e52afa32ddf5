// One attempt in full: what became of it, its answer, its dialogue, its checks, and the other attempts at the question.

const REASONS = {
  wrong: "its answer is not the gold answer",
  unparseable: "the verifier found no answer in it",
  truncated: "it ran into the token limit",
  error: "sampling or verification failed",
  context_overflow: "its dialogue no longer fitted the model",
  empty: "it has no text",
  duplicate: "an attempt kept before it at this question has the same text",
  over_cap: "as many attempts as the recipe allows were kept before it",
  degenerate: "its text repeats itself",
  not_best: "another sample of its turn is better",
  criterion: "the recipe's criterion does not keep it",
};

const badge = (name, kind = "") => h("span", { class: `badge ${kind}` }, name);
const part = (title, ...children) => h("section", {}, h("h4", {}, title), ...children);

// What the browser shows of attempt i; go(other) is called with another attempt at the question that is chosen.
function detail(page, text, i, go) {
  const { attempts, rollouts } = page;
  const rollout = attempts.rollout[i];
  const of = (column) => text(attempts[column][i]);
  const asked = (column) => text(rollouts[column][rollout]);
  const verdict = of("verdict");
  const checks = page.checks[attempts.checks[i]];
  const gold = asked("answer");
  const error = of("error");
  return [
    h("h3", {}, of("attempt_id")),
    h("p", { class: "badges" }, badge(verdict, `verdict ${verdict}`), badge(of("origin")), attempts.hinted[i] ? badge("hinted", "hinted") : null, badge(of("outcome"), of("outcome"))),
    h("p", { class: "why" }, why(page, text, i)),
    h("dl", { class: "answers" },
      h("div", {}, h("dt", {}, "predicted answer"), h("dd", { class: `verdict ${verdict}` }, of("predicted_answer") ?? "none")),
      h("div", {}, h("dt", {}, "gold answer"), h("dd", {}, gold))),
    error === null ? null : part("Error", h("pre", {}, error)),
    attempts.hinted[i] ? h("section", { class: "hint" }, h("h4", {}, "Hint"),
      h("p", {}, "The prompt showed the question with its gold answer; a training prompt never does:"), h("pre", {}, asked("hint"))) : null,
    part("Dialogue", h("ol", { class: "dialogue" }, ...dialogue(page, text, i))),
    part("Checks", checks.length
      ? h("ul", { class: "checks" }, ...checks.map(checkOf))
      : h("p", {}, "None were made: they look at correct attempts that are curated.")),
    part("Sampling", h("dl", { class: "facts" }, ...sampling(page, text, i).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))))),
    part("All attempts at this question", ...others(page, text, i, go)),
  ].filter((one) => one !== null);
}

// The result of a check; the reason stands behind it where there is one.
function checkOf([name, passed, reason]) {
  const [kind, mark, said] = passed === null ? ["", "○", "does not apply"] : passed ? ["passed", "✓", "passed"] : ["failed", "✗", "failed"];
  return h("li", { class: kind }, `${mark} ${name} ${said}${reason ? `: ${reason}` : ""}`);
}

// Why the attempt was kept or not, in a sentence.
function why({ attempts }, text, i) {
  const [outcome, reason, weight] = [text(attempts.outcome[i]), text(attempts.reason[i]), attempts.weight[i]];
  if (outcome === "kept") return `Kept as an example of origin ${text(attempts.origin[i])}, with weight ${weight}.`;
  if (outcome === "evaluation") return "It measures the model: a question of the eval split is never trained on.";
  if (outcome !== "rejected") return "This generation has not been curated yet.";
  const told = reason.startsWith("check_") ? `it failed the process check ${reason.slice(6)}` : REASONS[reason];
  return `Rejected as ${reason}${told ? `: ${told}` : ""}.`;
}

// The hint-free context and the completion, a message each, with what each of them is.
function dialogue({ attempts, rollouts, contexts }, text, i) {
  const context = contexts[attempts.context[i]];
  const messages = context.flatMap((_, at) => (at % 2 ? [] : [[text(context[at]), text(context[at + 1])]]));
  const question = text(rollouts.question[attempts.rollout[i]]);
  const start = Math.max(0, messages.findIndex(([role, content]) => role === "user" && content.startsWith(question)));
  const earlier = messages.slice(start).filter(([role]) => role === "assistant").length;
  let turn = attempts.turn[i] - earlier; // a window leaves the oldest turns out
  const said = messages.map(([role, content], at) => {
    if (role === "system") return ["instruction", role, content];
    if (at < start) return [`exemplar, ${role}`, role, content];
    if (at === start) return ["question", role, content];
    return [role === "assistant" ? `attempt, turn ${turn++}` : "feedback", role, content];
  });
  said.push([`this attempt, turn ${attempts.turn[i]}`, "assistant this", text(attempts.completion[i])]);
  return said.map(([name, role, content]) => h("li", { class: role }, h("span", { class: "who" }, name), h("pre", {}, content)));
}

function sampling({ attempts, rollouts }, text, i) {
  const rollout = attempts.rollout[i];
  return [
    ["generation", rollouts.generation[rollout]],
    ["split", text(rollouts.split[rollout])],
    ["difficulty", text(rollouts.difficulty[rollout])],
    ["model", text(attempts.teacher[i]) ?? text(rollouts.model[rollout])],
    ["strategy", text(rollouts.strategy[rollout])],
    ["sample", attempts.sample[i]],
    ["turn", attempts.turn[i]],
    ["temperature", attempts.temperature[i]],
    ["seed", attempts.seed[i]],
    ["prompt tokens", number(attempts.prompt_tokens[i])],
    ["completion tokens", number(attempts.completion_tokens[i])],
    ["finish reason", text(attempts.finish_reason[i])],
    ["mean logprob", attempts.mean_logprob[i]],
    ["verifier", text(attempts.verifier[i])],
    ["reward", attempts.reward[i]],
    ["weight", attempts.weight[i]],
    ["pass rate of the question", percent(rollouts.pass_rate[rollout])],
  ].filter(([, value]) => value !== null);
}

// Buttons of the attempts at the question, a line a generation.
function others({ attempts, rollouts }, text, i, go) {
  const question = rollouts.question_id[attempts.rollout[i]];
  const byGeneration = new Map();
  for (let other = 0; other < attempts.rollout.length; other++) {
    const rollout = attempts.rollout[other];
    if (rollouts.question_id[rollout] !== question) continue;
    const name = `gen ${rollouts.generation[rollout]}`;
    if (!byGeneration.has(name)) byGeneration.set(name, []);
    const verdict = text(attempts.verdict[other]);
    const sample = `${attempts.sample[other]}${attempts.turn[other] ? `, turn ${attempts.turn[other]}` : ""}${attempts.hinted[other] ? ", hinted" : ""}`;
    const chosen = other === i;
    byGeneration.get(name).push(h("button", { type: "button", class: `verdict ${verdict}`, "aria-current": chosen && "true", title: `sample ${sample}: ${verdict}`, "aria-label": `${name}, sample ${sample}: ${verdict}`, onclick: () => go(other) },
      `${sample} ${verdict === "correct" ? "✓" : "✗"}`));
  }
  return [...byGeneration].map(([name, buttons]) => h("p", { class: "others" }, h("span", {}, name), ...buttons));
}
