/* Two texts word by word: the cue's own words, what only one has, what only the other has.
   Whatever a model wrote enters the document as a text node, never as markup. */
const MATRIX = 4e6; // cells of a word comparison; beyond it texts are not compared
const ALIKE = 0.25; // share of words two texts must have in common, in order, to be compared in order
const LONG = 20000; // characters of a text shown at first

const joined = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}]/u;
/* [start, end) of every cue word; in alphabetic scripts only as a whole word. */
function cueRanges(text, cues) {
  const ranges = [];
  for (const cue of cues) {
    if (!cue) continue;
    for (let at = text.indexOf(cue); at >= 0; at = text.indexOf(cue, at + cue.length)) {
      const end = at + cue.length;
      const inside = (a, b) => a && b && joined.test(a) && joined.test(b);
      if (!inside(text[at - 1], text[at]) && !inside(text[end - 1], text[end])) ranges.push([at, end]);
    }
  }
  ranges.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  return ranges.filter((r, i) => i === 0 || r[0] >= Math.max(...ranges.slice(0, i).map((q) => q[1])));
}
const segmenters = new Map();
function split(text, language) {
  if (!("Segmenter" in Intl)) return text.match(/[\p{L}\p{N}]+|\s+|[^\p{L}\p{N}\s]/gu) || [];
  if (!segmenters.has(language)) segmenters.set(language, new Intl.Segmenter(language, { granularity: "word" }));
  return [...segmenters.get(language).segment(text)].map((s) => s.segment);
}
function tokens(text, cues, language) {
  const out = [];
  let at = 0;
  for (const [start, end] of [...cueRanges(text, cues), [text.length, text.length]]) {
    for (const word of split(text.slice(at, start), language)) out.push({ word, cue: false });
    if (end > start) out.push({ word: text.slice(start, end), cue: true });
    at = end;
  }
  return out;
}
const same = (a, b) => (a.cue && b.cue) || (!a.cue && !b.cue && a.word === b.word);
/* By longest common subsequence. Gives the parts to show, and why nothing is marked if so. */
function compare(base, here) {
  let head = 0, tail = 0;
  while (head < base.length && head < here.length && same(base[head], here[head])) head++;
  while (tail < base.length - head && tail < here.length - head
    && same(base[base.length - 1 - tail], here[here.length - 1 - tail])) tail++;
  const a = base.slice(head, base.length - tail), b = here.slice(head, here.length - tail);
  const plain = here.map((t) => ({ ...t, op: "" }));
  if (a.length * b.length > MATRIX) return [plain, "too_long"];
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      best[i * width + j] = same(a[i], b[j])
        ? best[(i + 1) * width + j + 1] + 1
        : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const parts = here.slice(0, head).map((t) => ({ ...t, op: "" }));
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && same(a[i], b[j])) { parts.push({ ...b[j], op: "" }); i++; j++; }
    else if (j >= b.length || (i < a.length && best[(i + 1) * width + j] >= best[i * width + j + 1])) {
      parts.push({ ...a[i], op: "del" }); i++;
    } else { parts.push({ ...b[j], op: "ins" }); j++; }
  }
  const all = parts.concat(here.slice(here.length - tail).map((t) => ({ ...t, op: "" })));
  const words = all.filter((part) => /[\p{L}\p{N}]/u.test(part.word));
  const shared = words.filter((part) => !part.op).length;
  return shared < ALIKE * words.length ? [foreign(base, here), "unlike"] : [tidy(all), null];
}
/* Of texts that share no order of words, such as two answers drawn freely: the words that the other does not have. */
function foreign(base, here) {
  const known = new Set(base.map((t) => t.word.toLowerCase()));
  return here.map((t) => ({ ...t, op: t.cue || known.has(t.word.toLowerCase()) || !/[\p{L}\p{N}]/u.test(t.word) ? "" : "ins" }));
}
/* Words that change in a row read as one deletion and one insertion, the spaces between them too. */
function tidy(parts) {
  const out = [];
  for (let i = 0; i < parts.length;) {
    if (!parts[i].op) { out.push(parts[i++]); continue; }
    let end = i;
    for (let j = i; j < parts.length && (parts[j].op || /^\s+$/.test(parts[j].word)); j++) if (parts[j].op) end = j;
    const run = parts.slice(i, end + 1);
    const mixed = ["del", "ins"].every((op) => run.some((part) => part.op === op));
    if (mixed) for (const op of ["del", "ins"]) out.push(...run.filter((part) => !part.op || part.op === op).map((part) => ({ ...part, op })));
    else out.push(...run);
    i = end + 1;
  }
  return out;
}
function marked(parts) {
  const nodes = [];
  for (let i = 0; i < parts.length;) {
    const { cue, op } = parts[i];
    let text = "";
    for (; i < parts.length && parts[i].cue === cue && parts[i].op === op; i++) text += parts[i].word;
    const inner = cue ? el("mark", {}, text) : document.createTextNode(text);
    nodes.push(op ? el(op, {}, inner) : inner);
  }
  return nodes;
}
/* A text in a box of its own: its direction cannot leave the box. */
/* Control characters and marks that turn the direction of what follows: shown, never obeyed. */
const HIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const visible = (text) => (text == null ? text : text.replace(HIDDEN, "\ufffd"));
function said(text, base, cues, baseCues, language, cls) {
  [text, base] = [visible(text), visible(base)];
  const box = el("div", { class: "said " + cls, dir: "auto", tabindex: "0", lang: language });
  const cut = text.slice(0, LONG);
  const here = tokens(cut, cues, language);
  const [parts, note] = base == null
    ? [here.map((t) => ({ ...t, op: "" })), null]
    : compare(tokens(base.slice(0, LONG), baseCues, language), here);
  box.append(...marked(parts));
  const after = note ? [el("p", { class: "quiet" }, say(note))] : [];
  if (text.length > LONG) {
    const more = el("button", { type: "button", class: "plain" }, say("whole", { n: text.length.toLocaleString("en") }));
    more.addEventListener("click", () => { box.replaceChildren(document.createTextNode(text)); more.remove(); });
    after.push(more);
  }
  return [box, ...after];
}
