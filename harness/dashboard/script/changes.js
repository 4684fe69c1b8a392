/* One changed set: a card a group, the old version's answer beside the new one's. */
const tag = (language) => (language === "zh" ? "zh-Hans" : language);
const shown = (outcome) => (outcome == null ? "–" : number(outcome));
const moved = (change) => say(number(change) === "0.000" ? "moved.same" : change > 0 ? "moved.up" : "moved.down");
function stated(status) {
  const answered = status === "answered";
  return el("span", { class: answered ? "status" : "status bad" }, answered ? "✓ " : "✕ ", both(statusLabel(status || "error")));
}
function answerOf(cell, side, base, language) {
  const found = cell[side];
  const head = el("h4", {}, el("span", {}, say(side), " ", el("b", {}, shown(found.outcome))), stated(found.status));
  if (found.answer == null) return [head, found.status === "answered" ? el("p", { class: "quiet" }, say("no_text")) : ""];
  const mark = el("p", {}, el("span", { class: "ai" }, say("ai")));
  return [head, mark, ...said(found.answer, base, cell.cue_words, cell.cue_words, language, "answer")];
}
function card(entry, cell, language) {
  const change = cell.change == null
    ? el("b", {}, say("no_outcome"))
    : [el("b", {}, number(Math.abs(cell.change))), " ", el("span", {}, moved(cell.change))];
  return el("article", { class: "card", "data-group": cell.group },
    el("header", {}, el("h3", {}, both(groupLabel(entry.axis, cell.group)))),
    el("p", { class: "outcome" }, change, data.kinds[entry.family] === "likelihood" ? [" ", el("span", {}, say("nats"))] : ""),
    el("h4", {}, el("span", {}, say("prompt"))),
    cell.text == null ? "" : said(cell.text, null, cell.cue_words, [], language, "prompt"),
    ...answerOf(cell, "old", null, language),
    ...answerOf(cell, "new", cell.old.answer, language));
}
function line(entry) {
  const bad = Object.entries(entry.statuses).filter(([s]) => s !== "answered");
  const family = data.families.length > 1 ? [...both(data.families[entry.family]), el("br")] : [];
  return el("li", {}, el("a", { href: "#sets/" + entry.id },
    el("span", {}, entry.scenario), el("b", {}, number(Math.abs(entry.change))),
    el("span", { class: "small" }, family, both(axisLabel(entry.axis)), say("colon"), both(groupLabel(entry.axis, entry.high[0])), " ", moved(entry.change),
      bad.map(([s, groups]) => [" · ✕ ", ...both(statusLabel(s)), ` ${groups.length}`]).flat())));
}
function showSet(place, entry, cells) {
  const language = tag(entry.language);
  const family = data.families.length > 1 ? [...both(data.families[entry.family]), " · "] : [];
  const legend = el("p", { class: "marks" }, el("span", {}, say("legend")),
    el("span", {}, el("mark", {}, say("mark.cue"))), el("span", {}, el("del", {}, say("mark.old"))),
    el("span", {}, el("ins", {}, say("mark.new"))));
  const size = (cell) => (cell.change == null ? Infinity : Math.abs(cell.change));
  place.replaceChildren(
    el("h2", { tabindex: "-1" }, entry.scenario),
    el("p", { class: "quiet" }, family, both(axisLabel(entry.axis))),
    el("p", { class: "claim" }, say("contrast", { group: groupLabel(entry.axis, entry.high[0]), size: number(Math.abs(entry.change)) }), " ", moved(entry.change)),
    legend,
    el("div", { class: "cards" }, [...cells].sort((a, b) => size(b) - size(a)).map((cell) => card(entry, cell, language))));
}
