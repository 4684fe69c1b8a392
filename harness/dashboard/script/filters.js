/* Rows of the overview by probe, axis and the newest version's verdict. */
const form = document.getElementById("filters");
const chosen = {};
function choice(name, options) {
  const node = el("select", { id: "filter-" + name });
  node.replaceChildren(...[["", pair("all")], ...options].map(([value, texts]) => tie(el("option", { value }), "textContent", texts)));
  node.addEventListener("change", filter);
  chosen[name] = node;
  return el("label", { for: node.id }, el("span", {}, say(name)), node);
}
const axisOf = (row) => JSON.parse(row.cells[0].dataset.csv)[0];
function verdictOf(row) {
  const cells = [...row.querySelectorAll("td.version")];
  return JSON.parse(cells[cells.length - 1].dataset.csv)[0];
}
function filter() {
  let any = false;
  for (const section of document.querySelectorAll(".design")) {
    let here = false;
    for (const part of section.querySelectorAll(".part")) {
      let some = false;
      for (const row of part.querySelectorAll("tbody tr")) {
        row.hidden = !((chosen.family.value === "" || chosen.family.value === part.dataset.family)
          && (chosen.axis.value === "" || chosen.axis.value === axisOf(row))
          && (chosen.verdict.value === "" || chosen.verdict.value === verdictOf(row)));
        some ||= !row.hidden;
      }
      part.hidden = !some;
      here ||= some;
    }
    section.hidden = !here;
    any ||= here;
  }
  document.getElementById("none").hidden = any;
}
function readyFilters() {
  const rows = [...document.querySelectorAll(".part tbody tr")];
  const axes = [...new Set(rows.map(axisOf))];
  const family = choice("family", data.families.map((texts, i) => [String(i), texts]));
  family.hidden = data.families.length < 2;
  form.replaceChildren(family, choice("axis", axes.map((axis) => [axis, axisLabel(axis)])),
    choice("verdict", ["disparity", "inconclusive", "equivalent"].map((v) => [v, data.verdicts[v]])));
  tie(form, "ariaLabel", pair("filters"));
  form.hidden = false;
}
if (form) readyFilters();
