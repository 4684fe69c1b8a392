/* Which page is shown, and the start. */
const where = () => decodeURIComponent(location.hash.slice(1) || "overview").split("/");
function current() {
  for (const a of document.querySelectorAll("#list a, .pages a")) {
    const here = a.getAttribute("href") === "#" + where().join("/") || a.getAttribute("href") === "#" + where()[0];
    if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
}
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
