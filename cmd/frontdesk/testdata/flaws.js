// What a person who reads badly, hears the page or holds a phone would miss.
// headings: how many of the first level there must be.
(headings) => {
  const flaws = [];
  const say = (what, at) => flaws.push(what + (at ? ": " + at.outerHTML.replace(/\s+/g, " ").slice(0, 120) : ""));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const root = document.documentElement;

  if (!root.lang) say("no language");
  if (!document.title.trim()) say("no title");
  if (all("h1").length !== headings) say(all("h1").length + " headings of the first level, want " + headings);
  if (headings && all("main").length !== 1) say("no main part");
  const levels = all("h1, h2, h3, h4, h5, h6").map((h) => Number(h.tagName[1]));
  levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) say("a level of headings is left out before number " + (i + 1)); });
  const ids = all("[id]").map((e) => e.id);
  ids.forEach((id, i) => { if (ids.indexOf(id) !== i) say("id twice: " + id); });
  all("[aria-describedby], [aria-labelledby]").forEach((e) => {
    for (const attribute of ["aria-describedby", "aria-labelledby"])
      for (const id of (e.getAttribute(attribute) || "").split(/\s+/).filter(Boolean))
        if (!document.getElementById(id)) say(attribute + " of nothing", e);
  });
  all("input:not([type=hidden]), textarea, select").forEach((e) => {
    if (![...e.labels].some((label) => label.textContent.trim())) say("no label", e);
  });
  all("a[href], button, summary").forEach((e) => { if (!e.textContent.trim()) say("no name", e); });
  all("img").forEach((e) => {
    if (!e.hasAttribute("alt")) say("no words for a picture", e);
    if (!e.complete || !e.naturalWidth) say("picture not shown", e);
  });
  all("button, summary, .scores label").forEach((e) => {
    const box = e.getBoundingClientRect();
    if (box.width < 24 || box.height < 24) say("too small to hit, " + box.width + " by " + box.height, e);
  });
  if (root.scrollWidth > root.clientWidth) {
    say("scrolls sideways, " + root.scrollWidth + " in " + root.clientWidth, all("body *").find((e) => e.getBoundingClientRect().right > root.clientWidth + 1));
  }

  // Contrast, WCAG 2.2 section 1.4.3: each text against what lies behind it.
  const rgba = (text) => {
    const n = text.match(/[\d.]+/g).map(Number);
    if (!/^rgba?\(/.test(text)) say("colour not understood, " + text);
    return [n[0], n[1], n[2], n.length > 3 ? n[3] : 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = root.appendChild(document.createElement("div"));
  probe.style.setProperty("background-color", "Canvas");
  const canvas = rgba(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const ground = (e) => e ? over(rgba(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : canvas;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let node; (node = texts.nextNode());) {
    const e = node.parentElement, style = getComputedStyle(e);
    if (!node.data.trim() || ["STYLE", "SCRIPT"].includes(e.tagName) || style.visibility === "hidden" || !e.getClientRects().length) continue;
    seen++;
    const below = ground(e), colour = over(rgba(style.color), below);
    const [high, low] = [light(colour), light(below)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) say("contrast " + contrast.toFixed(2), e);
  }
  if (!seen) say("no text");
  return flaws;
}
