/* The packed texts, the list of sets and its filters. */
const PAGE = 100; // list entries shown at a time

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

/* ---- list and filters ---- */
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
    else place.scrollIntoView({ block: innerWidth > 960 ? "nearest" : "start" });
  } catch (error) {
    document.getElementById("browser").hidden = false;
    place.replaceChildren(el("p", { class: "warning" }, say("failed"), ` (${error.name})`));
  }
}
