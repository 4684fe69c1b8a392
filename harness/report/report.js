"use strict";
/* The page's script: which page is shown, the language of attributes, CSV copies, and the sets.
   Whatever a model wrote enters the document as a text node, never as markup. */
(() => {
  const PAGE = 100; // list entries shown at a time
  const MATRIX = 4e6; // cells of a word comparison; beyond it texts are not compared
  const LONG = 20000; // characters of a text shown at first
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;

  // ---- words: both languages stand in the page, CSS shows one ----
  const chinese = () => document.getElementById("lang-zh").checked;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const pair = (key, values = {}) =>
    data.words[key].map((text, i) =>
      fill(text, Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Array.isArray(v) ? v[i] : v]))));
  const both = (texts) => {
    if (texts[0] === texts[1]) return [document.createTextNode(texts[0])];
    return [el("span", { class: "en", lang: "en" }, texts[0]), el("span", { class: "zh", lang: "zh-Hans" }, texts[1])];
  };
  const say = (key, values) => both(pair(key, values));
  const label = (labels, name) => {
    const found = (labels || {})[name] || {};
    const en = found.en || name;
    return [en, found.zh || en];
  };
  const axisLabel = (axis) => label(data.labels.axes, axis);
  const groupLabel = (axis, group) => label(data.labels.groups[axis], group);
  const statusLabel = (status) => data.statuses[status] || [status, status];
  const number = (value) => (Math.round(value * 1000) / 1000 + 0).toFixed(3).replace("-", "\u2212");

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children.flat());
    return node;
  }
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  /* Options and attributes hold one language only, so they are set again on every switch. */
  const tied = [];
  const tie = (node, property, texts) => {
    tied.push([node, property, texts]);
    node[property] = texts[chinese() ? 1 : 0];
    return node;
  };
  function speak() {
    const i = chinese() ? 1 : 0;
    root.lang = i ? "zh-Hans" : "en";
    for (const [node, property, texts] of tied) node[property] = texts[i];
  }
  function remember(language) {
    try { localStorage.setItem("bias-harness-language", language); } catch { /* files may have no storage */ }
  }
  function recall() {
    try { return localStorage.getItem("bias-harness-language"); } catch { return null; }
  }

  // ---- CSV ----
  const quote = (text) => {
    const safe = /^[=+@\-\t\r]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text;
    return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  function csv(table) {
    const heads = [...table.tHead.rows[0].cells].flatMap((c) => (c.dataset.csv ? c.dataset.csv.split("|") : []));
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].flatMap((c) => JSON.parse(c.dataset.csv)));
    return [heads, ...rows].map((row) => row.map(quote).join(",")).join("\r\n") + "\r\n";
  }
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = el("textarea", { readonly: true });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }
  function readyCopies() {
    for (const button of document.querySelectorAll("button.copy")) {
      const before = [...button.childNodes];
      button.hidden = false;
      button.addEventListener("click", async () => {
        await copy(csv(button.parentElement.querySelector("table")));
        button.replaceChildren(...say("copied"));
        setTimeout(() => button.replaceChildren(...before), 1500);
      });
    }
  }

  // ---- packed texts ----
  async function unpack(element) {
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }
  const opened = new Map();
  function openAxis(axis) {
    if (!opened.has(axis)) {
      const element = [...document.querySelectorAll("script[data-axis]")].find((s) => s.dataset.axis === axis);
      opened.set(axis, unpack(element));
    }
    return opened.get(axis);
  }

  // ---- words of a text, cues marked, compared with another text ----
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
  /* Longest common subsequence; null when the texts are too long for it. */
  function compare(base, here) {
    let head = 0, tail = 0;
    while (head < base.length && head < here.length && same(base[head], here[head])) head++;
    while (tail < base.length - head && tail < here.length - head
      && same(base[base.length - 1 - tail], here[here.length - 1 - tail])) tail++;
    const a = base.slice(head, base.length - tail), b = here.slice(head, here.length - tail);
    if (a.length * b.length > MATRIX) return null;
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
    return parts.concat(here.slice(here.length - tail).map((t) => ({ ...t, op: "" })));
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
  function said(text, base, cues, baseCues, language, cls) {
    const box = el("div", { class: "said " + cls, dir: "auto", tabindex: "0", lang: language });
    const show = (limit) => {
      const cut = text.slice(0, limit);
      const here = tokens(cut, cues, language);
      const parts = base == null ? here.map((t) => ({ ...t, op: "" })) : compare(tokens(base.slice(0, limit), baseCues, language), here);
      box.replaceChildren(...(parts ? marked(parts) : [document.createTextNode(cut)]));
      return parts !== null;
    };
    const compared = show(LONG);
    const after = [];
    if (!compared) after.push(el("p", { class: "quiet" }, say("too_long")));
    if (text.length > LONG) {
      const more = el("button", { type: "button", class: "plain" }, say("whole", { n: text.length.toLocaleString("en") }));
      more.addEventListener("click", () => { box.replaceChildren(document.createTextNode(text)); more.remove(); });
      after.push(more);
    }
    return [box, ...after];
  }

  // ---- cards ----
  const tag = (language) => (language === "zh" ? "zh-Hans" : language);
  function meter(y) {
    return svg("svg", { class: "meter", "aria-hidden": "true" },
      svg("rect", { width: "100%", height: "8" }), svg("rect", { width: `${100 * Math.max(0, Math.min(1, y))}%`, height: "8" }));
  }
  function outcome(member) {
    if (member.y == null) return [el("p", { class: "outcome" }, el("b", {}, say("no_outcome")))];
    const known = member.p_yes != null && member.p_no != null;
    const detail = known
      ? [" P(", ...say("yes"), `) ${number(member.p_yes)} · P(`, ...say("no"), `) ${number(member.p_no)}`] : [];
    const line = el("p", { class: "outcome" }, el("b", {}, number(member.y)), " ", el("span", {}, say("outcome"), known ? [" ", ...say("scale")] : []));
    return [line, known ? meter(member.y) : "", el("p", { class: "outcome" }, el("span", {}, detail))];
  }
  function card(axis, member, base, language, choose) {
    const answered = member.status === "answered";
    const isBase = base === member;
    const against = isBase ? null : base;
    const node = el("article", { class: isBase ? "card base" : "card", "data-group": member.group },
      el("header", {}, el("h3", {}, both(groupLabel(axis, member.group))),
        el("span", { class: answered ? "status" : "status bad" }, answered ? "✓ " : "✕ ", both(statusLabel(member.status)))),
      member.arm === "counterfactual" ? "" : el("p", { class: "quiet" }, say("arm." + member.arm)),
      outcome(member),
      el("h4", {}, el("span", {}, say("prompt"))),
      said(member.text, against && against.text, member.cue_words, base.cue_words, language, "prompt"));
    if (member.answer == null) {
      if (answered) node.append(el("p", { class: "quiet" }, say("no_text")));
    } else {
      node.append(el("h4", {}, el("span", {}, say("answer")), el("span", { class: "ai" }, say("ai"))),
        ...said(member.answer, against && against.answer, member.cue_words, base.cue_words, language, "answer"));
    }
    if (member.detail != null) {
      node.append(el("h4", {}, el("span", {}, say("detail"))), ...said(member.detail, null, [], [], "en", "detail"));
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
      el("p", { class: "quiet" }, family, both(axisLabel(entry.axis)), ` · ${entry.domain} · `, say("answered", { n: entry.answered, all: entry.asked })),
      el("p", { class: "claim" }, difference(entry)),
    ];
  }
  function difference(entry) {
    if (entry.difference == null) return say("no_difference");
    return say("difference", {
      size: number(entry.difference), high: groupLabel(entry.axis, entry.high[0]), low: groupLabel(entry.axis, entry.low[0]),
    });
  }
  function showSet(place, entry, rows) {
    const language = tag(entry.language);
    const asked = rows.filter((m) => m.arm === "counterfactual" && m.sample === 0);
    const others = rows.filter((m) => !asked.includes(m));
    const cards = el("div", { class: "cards" });
    const more = el("div", { class: "cards" });
    const facts = asked[0];
    const place_ = data.words["position." + facts.cue_position] ? [" · ", ...say("position." + facts.cue_position)] : [];
    const favourable = data.words[facts.favourable] ? pair(facts.favourable) : facts.favourable;
    const legend = el("p", { class: "marks" }, el("span", {}, say("legend")),
      el("span", {}, el("mark", {}, say("mark.cue"))), el("span", {}, el("del", {}, say("mark.del"))),
      el("span", {}, el("ins", {}, say("mark.ins"))));
    const draw = (base) => {
      const sorted = [...asked].sort((a, b) => (b.y ?? -Infinity) - (a.y ?? -Infinity));
      cards.replaceChildren(...sorted.map((m) => card(entry.axis, m, base, language, draw)));
      more.replaceChildren(...others.map((m) => {
        const own = asked.find((a) => a.group === m.group) || base;
        return card(entry.axis, m, own, language, null);
      }));
    };
    draw(asked[0]);
    place.replaceChildren(...heading(entry),
      el("p", { class: "quiet" }, facts.favourable ? say("favourable", { answer: favourable }) : [], place_), legend, cards,
      ...(others.length ? [el("h3", {}, say("other_arms")), more] : []));
  }

  // ---- list and filters ----
  const entries = { all: [], by: new Map(), found: [], shown: PAGE, ready: null };
  const filters = {};
  function matches(entry) {
    const { family, axis, group, status } = filters;
    if (family.value !== "" && entry.family !== Number(family.value)) return false;
    if (axis.value !== "" && entry.axis !== axis.value) return false;
    const of = (s) => entry.statuses[s] || [];
    if (status.value !== "" && of(status.value).length === 0) return false;
    if (group.value === "") return true;
    if (status.value !== "") return of(status.value).includes(group.value);
    const ends = [entry.high && entry.high[0], entry.low && entry.low[0]];
    const open = Object.entries(entry.statuses).some(([s, groups]) => s !== "answered" && groups.includes(group.value));
    return ends.includes(group.value) || open;
  }
  function line(entry) {
    const bad = Object.entries(entry.statuses).filter(([s]) => s !== "answered");
    const family = data.families.length > 1 ? [...both(data.families[entry.family]), el("br")] : [];
    return el("li", {}, el("a", { href: "#sets/" + entry.id },
      el("span", {}, `${entry.scenario} ${entry.variant}`.trim()),
      el("b", {}, entry.difference == null ? say("no_difference") : number(entry.difference)),
      el("span", { class: "small" }, family, both(axisLabel(entry.axis)),
        entry.difference == null ? "" : [": ", ...both(groupLabel(entry.axis, entry.high[0])), " > ", ...both(groupLabel(entry.axis, entry.low[0]))],
        bad.map(([s, groups]) => [" · ✕ ", ...both(statusLabel(s)), ` ${groups.length}`]).flat())));
  }
  function drawList() {
    const list = document.getElementById("list");
    entries.found = entries.all.filter(matches);
    const nodes = [el("p", { class: "quiet", role: "status" }, say(entries.found.length ? "count" : "none", { n: entries.found.length }))];
    nodes.push(el("ol", {}, entries.found.slice(0, entries.shown).map(line)));
    const left = entries.found.length - entries.shown;
    if (left > 0) {
      const more = el("button", { type: "button", class: "plain" }, say("more", { n: Math.min(left, PAGE) }));
      more.addEventListener("click", () => { entries.shown += PAGE; drawList(); });
      nodes.push(more);
    }
    list.replaceChildren(...nodes);
    current();
  }
  function select(name, options) {
    const node = el("select", { id: "filter-" + name });
    const put = (choices) => {
      const before = node.value;
      node.replaceChildren(...[["", pair("all")], ...choices].map(([value, texts]) => tie(el("option", { value }), "textContent", texts)));
      node.value = choices.some(([value]) => value === before) ? before : "";
    };
    put(options);
    filters[name] = node;
    node.put = put;
    node.addEventListener("change", () => {
      entries.shown = PAGE;
      if (name === "axis") {
        filters.group.put(groupsOf(node.value));
        filters.group.disabled = node.value === "";
      }
      drawList();
    });
    const title = el("span", {}, say(name), name === "group" ? [" (", ...say("group.help"), ")"] : []);
    return el("label", { for: node.id }, title, node);
  }
  const groupsOf = (axis) => Object.keys((axis && data.labels.groups[axis]) || {}).map((g) => [g, groupLabel(axis, g)]);
  function readyFilters() {
    const axes = [...new Set(entries.all.map((e) => e.axis))].sort();
    const order = Object.keys(data.labels.axes);
    axes.sort((a, b) => order.indexOf(a) - order.indexOf(b));
    const statuses = [...new Set(entries.all.flatMap((e) => Object.keys(e.statuses)))].sort();
    const family = select("family", data.families.map((f, i) => [String(i), f]));
    family.hidden = data.families.length < 2;
    document.getElementById("filters").replaceChildren(family,
      select("axis", axes.map((a) => [a, axisLabel(a)])), select("group", []), select("status", statuses.map((s) => [s, statusLabel(s)])));
    filters.group.disabled = true;
  }
  function current() {
    for (const a of document.querySelectorAll("#list a, .pages a")) {
      const here = a.getAttribute("href") === "#" + where().join("/") || a.getAttribute("href") === "#" + where()[0];
      if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
    }
  }
  function steps(entry) {
    const i = entries.found.indexOf(entry);
    const link = (e, key) => (e ? el("a", { href: "#sets/" + e.id }, say(key)) : el("span"));
    return el("div", { class: "steps" }, link(entries.found[i - 1], "previous"), link(i < 0 ? null : entries.found[i + 1], "next"));
  }
  function readySets() {
    entries.ready ??= unpack(document.getElementById("index")).then((all) => {
      entries.all = all;
      for (const entry of all) entries.by.set(entry.id, entry);
      document.getElementById("browser").hidden = false;
      readyFilters();
      drawList();
    });
    return entries.ready;
  }
  async function openSet(id) {
    const place = document.getElementById("set");
    if (!place) return;
    try {
      await readySets();
      const entry = id ? entries.by.get(id) : entries.found[0];
      if (!entry) {
        place.replaceChildren(el("p", { class: "quiet" }, say("unknown")));
        return;
      }
      const shard = await openAxis(entry.axis);
      if (where()[1] !== id) return;
      const inner = el("div");
      showSet(inner, entry, shard[entry.id]);
      place.replaceChildren(steps(entry), inner);
      if (!id) scrollTo(0, 0);
      else place.scrollIntoView({ block: innerWidth > 760 ? "nearest" : "start" });
    } catch (error) {
      document.getElementById("browser").hidden = false;
      place.replaceChildren(el("p", { class: "warning" }, say("failed"), ` (${error.name})`));
    }
  }

  // ---- pages ----
  const where = () => decodeURIComponent(location.hash.slice(1) || "overview").split("/");
  async function route() {
    const [page, name] = where();
    const section = document.getElementById(page);
    if (!section || !section.classList.contains("page")) {
      if (page === "main") return;
      location.replace("#overview");
      return;
    }
    for (const other of document.querySelectorAll(".page")) other.classList.toggle("current", other === section);
    current();
    if (page === "sets") await openSet(name);
    else {
      const target = name && document.getElementById(`${page}/${name}`);
      if (target) target.scrollIntoView(); else scrollTo(0, 0);
    }
  }

  root.classList.add("js");
  const language = recall() || ((navigator.language || "").startsWith("zh") ? "zh" : "en");
  document.getElementById(language === "zh" ? "lang-zh" : "lang-en").checked = true;
  for (const input of document.querySelectorAll(".switch input")) {
    input.addEventListener("change", () => { remember(input.value); speak(); });
  }
  tie(document.querySelector(".pages"), "ariaLabel", pair("pages"));
  const list = document.getElementById("list");
  if (list) {
    tie(list, "ariaLabel", pair("list"));
    tie(document.getElementById("filters"), "ariaLabel", pair("filters"));
  }
  speak();
  readyCopies();
  addEventListener("hashchange", route);
  route();
})();
