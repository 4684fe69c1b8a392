/* Words in both languages, nodes, and copies of tables as CSV. */
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;


const chinese = () => document.getElementById("lang-zh").checked;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const one = (text) => text.replace(/^1 sets$/, "1 set");
const pair = (key, values = {}) =>
  data.words[key].map((text, i) =>
    one(fill(text, Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Array.isArray(v) ? v[i] : v])))));
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
for (const title of document.querySelectorAll("title[data-zh]")) tie(title, "textContent", [title.textContent, title.dataset.zh]);
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

/* ---- CSV ---- */
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
