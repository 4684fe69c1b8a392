/* One counterfactual set: a card a group. */
const tag = (language) => (language === "zh" ? "zh-Hans" : language);
function meter(y) {
  return svg("svg", { class: "meter", "aria-hidden": "true" },
    svg("rect", { width: "100%", height: "8" }), svg("rect", { width: `${100 * Math.max(0, Math.min(1, y))}%`, height: "8" }));
}
const domain = (name) => (data.words["domain." + name] ? pair("domain." + name) : [name, name]);
const option = (name) => (data.words["option." + name] ? pair("option." + name) : [name, name]);
/* Likelihoods of whole continuations are far below what three decimals show: their logarithms. */
const ofTexts = (entry) => data.texts.includes(data.kinds[entry.family]);
const endpoint = (name) => data.endpoints[name] || [name, name];
/* What every scorer says of a text, without and (where it differs) with the words of the group. */
function scores(entry, member) {
  const value = (v) => (v == null ? say("no_score") : number(v));
  const row = ([name, [blind, raw]]) => el("div", {}, el("dt", {}, both(endpoint(name))), el("dd", {}, el("b", {}, value(blind)),
    value(raw) === value(blind) ? "" : el("span", {}, " ", say("with_words", { value: raw == null ? pair("no_score") : number(raw) }))));
  const all = Object.entries(member.scores);
  const [lead, rest] = [all.filter(([name]) => name === entry.endpoint), all.filter(([name]) => name !== entry.endpoint)];
  return [lead.length ? el("dl", { class: "scored" }, lead.map(row)) : "",
    rest.length ? el("details", {}, el("summary", {}, say("scores", { n: rest.length })), el("dl", { class: "scored" }, rest.map(row))) : ""];
}
function outcome(entry, member) {
  const kind = data.kinds[entry.family];
  if (ofTexts(entry)) {
    if (kind !== "refusal" || member.y == null) return [];
    return [el("p", { class: "outcome" }, el("span", {}, say(member.y === 1 ? "ending.right" : "ending.wrong")))];
  }
  const log = kind === "likelihood";
  const chances = Object.entries(member.p).flatMap(([name, p], i) =>
    [i ? " · " : "", log ? "ln P(" : "P(", ...both(option(name)), `) ${number(log ? Math.log(p) : p)}`]);
  if (chances.length && member.mass != null) chances.push(" · ", ...say("mass"), ` ${number(member.mass)}`);
  const detail = chances.length ? el("p", { class: "outcome" }, el("span", {}, chances)) : "";
  if (member.y == null) return [el("p", { class: "outcome" }, el("b", {}, say("no_outcome"))), detail];
  const scaled = chances.length > 0 && !log;
  const line = el("p", { class: "outcome" }, el("b", {}, number(member.y)), " ",
    el("span", {}, say("outcome"), scaled ? [" ", ...say("scale")] : log ? [" ", ...say("nats")] : []));
  return [line, scaled ? meter(member.y) : "", detail];
}
/* The mean over the answers that have one, and their number; of the endpoint that the set is listed by. */
const valueOf = (entry, member) => (entry.endpoint === "y" ? member.y : (member.scores[entry.endpoint] || [])[0]);
function meanOf(entry, members) {
  const known = members.map((m) => valueOf(entry, m)).filter((v) => v != null);
  return known.length ? [known.reduce((a, b) => a + b, 0) / known.length, known.length] : [null, 0];
}
function drawnMean(entry, members) {
  if (members.length < 2) return "";
  const [mean, n] = meanOf(entry, members);
  const of = entry.endpoint === "y" ? pair("outcome") : endpoint(entry.endpoint);
  return el("p", { class: "outcome" }, mean == null ? el("b", {}, say("no_outcome")) : [el("b", {}, number(mean)), " "],
    el("span", {}, mean == null ? "" : [...both(of), " · "], say("drawn", { n, all: members.length })));
}
function card(entry, member, base, language, choose, drawn) {
  const answered = member.status === "answered";
  const several = drawn && drawn.length > 1;
  const isBase = base === member;
  const against = isBase ? null : base;
  const node = el("article", { class: isBase ? "card base" : "card", "data-group": member.group },
    el("header", {}, el("h3", {}, both(groupLabel(entry.axis, member.group))),
      el("span", { class: answered ? "status" : "status bad" }, answered ? "✓ " : "✕ ", both(statusLabel(member.status)))),
    drawn ? drawnMean(entry, drawn) : "",
    member.arm === "counterfactual" ? (several ? el("p", { class: "quiet" }, say("sample", { n: 1 })) : "")
      : el("p", { class: "quiet" }, say("arm." + member.arm), member.sample ? [" · ", ...say("sample", { n: member.sample + 1 })] : ""),
    outcome(entry, member),
    scores(entry, member),
    el("h4", {}, el("span", {}, say("prompt"))),
    said(member.text, against && against.text, member.cue_words, base.cue_words, language, "prompt"));
  if (member.answer == null) {
    if (answered) node.append(el("p", { class: "quiet" }, say("no_text")));
  } else {
    node.append(el("h4", {}, el("span", {}, say("answer")), el("span", { class: "ai" }, say("ai"))),
      ...said(member.answer, against && against.answer, member.cue_words, base.cue_words, language, "answer"));
  }
  if (member.detail != null) {
    node.append(el("h4", {}, el("span", {}, say(member.status === "refused" ? "filter" : "detail"))), ...said(member.detail, null, [], [], "en", "detail"));
  }
  if (choose) {
    const button = el("button", { type: "button", class: "plain", "aria-pressed": String(isBase) }, say(isBase ? "base" : "make_base"));
    button.addEventListener("click", () => choose(member));
    node.append(button);
  }
  return node;
}
function heading(entry) {
  const family = data.families.length > 1 ? [...both(data.families[entry.family]), " · "] : [];
  return [
    el("h2", { tabindex: "-1" }, `${entry.scenario} ${entry.variant}`.trim()),
    el("p", { class: "quiet" }, family, both(axisLabel(entry.axis)), " · ", ...both(domain(entry.domain)), " · ", say("answered", { n: entry.answered, all: entry.asked })),
    el("p", { class: "claim" }, difference(entry)),
  ];
}
function difference(entry) {
  if (entry.difference == null) return say("no_difference");
  if (entry.difference === 0) return say("none_apart");
  const ends = { high: groupLabel(entry.axis, entry.high[0]), low: groupLabel(entry.axis, entry.low[0]) };
  if (ofTexts(entry) && entry.endpoint === "y" && entry.difference === 1) return say(data.kinds[entry.family] === "refusal" ? "difference.ended" : "difference.answered", ends);
  const of = entry.endpoint === "y" ? [] : [...both(endpoint(entry.endpoint)), ...say("colon")];
  return [...of, ...say("difference", { size: number(entry.difference), ...ends })];
}
function showSet(place, entry, rows) {
  const language = tag(entry.language);
  const asked = rows.filter((m) => m.arm === "counterfactual" && m.sample === 0);
  const others = rows.filter((m) => !asked.includes(m));
  const cards = el("div", { class: "cards" });
  const more = el("div", { class: "cards" });
  const facts = asked[0];
  const place_ = data.words["position." + facts.cue_position] ? [" · ", ...say("position." + facts.cue_position)] : [];
  const legend = el("p", { class: "marks" }, el("span", {}, say("legend")),
    el("span", {}, el("mark", {}, say("mark.cue"))), el("span", {}, el("del", {}, say("mark.del"))),
    el("span", {}, el("ins", {}, say("mark.ins"))));
  const wanted = !facts.favourable ? [] : data.words["expected." + facts.favourable] ? say("expected." + facts.favourable)
    : ofTexts(entry) ? [] : say("favourable", { answer: option(facts.favourable) });
  const draw = (base) => {
    const drawn = (m) => rows.filter((r) => ["counterfactual", "repeat"].includes(r.arm) && r.group === m.group);
    const of = (m) => meanOf(entry, drawn(m))[0] ?? -Infinity;
    const sorted = [...asked].sort((a, b) => of(b) - of(a) || 0);
    cards.replaceChildren(...sorted.map((m) => card(entry, m, base, language, draw, drawn(m))));
    more.replaceChildren(...others.map((m) => {
      const own = asked.find((a) => a.group === m.group) || base;
      return card(entry, m, own, language, null);
    }));
  };
  draw(asked[0]);
  place.replaceChildren(...heading(entry),
    el("p", { class: "quiet" }, wanted, wanted.length ? place_ : place_.slice(1)), legend, cards,
    ...(others.length ? [el("h3", {}, say("other_arms")), more] : []));
}
function line(entry) {
  const bad = Object.entries(entry.statuses).filter(([s]) => s !== "answered");
  const family = data.families.length > 1 ? [...both(data.families[entry.family]), el("br")] : [];
  return el("li", {}, el("a", { href: "#sets/" + entry.id },
    el("span", {}, `${entry.scenario} ${entry.variant}`.trim()),
    el("b", {}, entry.difference == null ? say("no_difference") : number(entry.difference)),
    el("span", { class: "small" }, family, both(axisLabel(entry.axis)),
      entry.endpoint === "y" ? "" : [" · ", ...both(endpoint(entry.endpoint))],
      entry.difference == null ? "" : [...say("colon"), ...both(groupLabel(entry.axis, entry.high[0])), " > ", ...both(groupLabel(entry.axis, entry.low[0]))],
      bad.map(([s, groups]) => [" · ✕ ", ...both(statusLabel(s)), ` ${groups.length}`]).flat())));
}
