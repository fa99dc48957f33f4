"use strict";
// Everything a page does by script: theme, contents on a phone, facts' origin, copy buttons, quizzes, search.
(() => {
  const root = document.documentElement;
  const up = document.body.dataset.up || "";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  // Light and dark: the reader's choice stays on this device.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  one("#theme-button").addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a page from disk may have no storage */ }
  });

  // Contents on a phone.
  const menu = one("#menu"), menuButton = one("#menu-button");
  const toggleMenu = (open) => {
    menu.classList.toggle("open", open);
    menuButton.setAttribute("aria-expanded", String(open));
    document.body.style.overflow = open ? "hidden" : "";
  };
  menuButton.addEventListener("click", () => toggleMenu(!menu.classList.contains("open")));
  menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { toggleMenu(false); menuButton.focus(); } });

  // What was to be looked at again by a day that has come since the build is marked now.
  const today = new Date().toISOString();
  const due = (node) => node.dataset.review && node.dataset.review < today.slice(0, node.dataset.review.length);
  for (const mark of all(".badge[data-review][hidden]")) mark.hidden = !due(mark);

  // Facts: what the figure is and where it comes from, on hover, focus and tap.
  const tip = make("div", { id: "tip", role: "tooltip", hidden: "" });
  let shown = null, leaving = 0;
  const showTip = (fact) => {
    clearTimeout(leaving);
    if (shown === fact) return;
    hideTip();
    shown = fact;
    tip.replaceChildren(make("b", {}, fact.dataset.what), make("span", {}, fact.dataset.origin));
    if (fact.dataset.more) tip.append(make("span", { class: "more" }, fact.dataset.more));
    if (due(fact) && !(fact.dataset.more || "").includes("review")) tip.append(make("span", { class: "more" }, "Due for review."));
    const link = make("a", { href: fact.getAttribute("href"), tabindex: "-1" }, "In the list of facts");
    tip.append(link);
    fact.after(tip);
    tip.hidden = false;
    fact.setAttribute("aria-describedby", "tip");
    const place = fact.getClientRects()[0], box = (tip.offsetParent || document.body).getBoundingClientRect();
    const left = Math.max(16, Math.min(place.left, innerWidth - tip.offsetWidth - 16));
    const above = place.bottom + tip.offsetHeight + 12 > innerHeight && place.top > tip.offsetHeight + 70;
    tip.style.left = `${left - box.left}px`;
    tip.style.top = `${(above ? place.top - tip.offsetHeight - 6 : place.bottom + 6) - box.top}px`;
  };
  const hideTip = () => {
    if (shown) shown.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  };
  const hideSoon = () => { clearTimeout(leaving); leaving = setTimeout(hideTip, 180); };
  // One listener for all: a chapter has hundreds. The title serves where there are no scripts.
  const factOf = (event) => {
    const fact = event.target.closest && event.target.closest("a.fact");
    if (fact) fact.removeAttribute("title");
    return fact;
  };
  let touched = false;
  document.addEventListener("pointerover", (event) => { const fact = factOf(event); if (fact && event.pointerType !== "touch") showTip(fact); });
  document.addEventListener("pointerout", (event) => { if (factOf(event)) hideSoon(); });
  document.addEventListener("focusin", (event) => { const fact = factOf(event); if (fact && fact.matches(":focus-visible")) showTip(fact); });
  document.addEventListener("focusout", (event) => { if (factOf(event)) hideSoon(); });
  document.addEventListener("pointerdown", (event) => { touched = event.pointerType === "touch"; });
  // The first tap tells; the link in the box leads on.
  document.addEventListener("click", (event) => { const fact = factOf(event); if (fact && touched) { event.preventDefault(); showTip(fact); } });
  tip.addEventListener("pointerenter", () => clearTimeout(leaving));
  tip.addEventListener("pointerleave", hideSoon);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  document.addEventListener("pointerdown", (event) => { if (shown && !tip.contains(event.target) && event.target !== shown) hideTip(); });

  // What nobody needs in the first moment waits until the page is drawn.
  const later = window.requestIdleCallback || ((work) => setTimeout(work, 60));

  // Copy buttons; a console's prompts and answers stay behind.
  later(() => { for (const block of all("div.highlight")) {
    if (block.closest(".cell_output")) continue;
    const pre = one("pre", block);
    if (!pre) continue;
    const button = make("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", async () => {
      let text = pre.innerText.replace(/\n$/, "");
      if (/^\$ /m.test(text)) text = text.split("\n").filter((line) => line.startsWith("$ ")).map((line) => line.slice(2)).join("\n");
      let done = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const field = make("textarea", { "aria-hidden": "true", style: "position:fixed;opacity:0" });
        field.value = text;
        document.body.append(field);
        field.select();
        done = document.execCommand("copy");
        field.remove();
      }
      button.textContent = done ? "Copied" : "Select and copy by hand";
      button.classList.add("done");
      setTimeout(() => { button.textContent = "Copy"; button.classList.remove("done"); }, 1600);
    });
    block.append(button);
  } });

  // A page opened at its top was laid out as far as the eye reaches: the rest follows, a section a frame, so that no
  // long task keeps a phone from answering. One opened at a place within it was laid out whole.
  const far = root.classList.contains("far") ? all("article > section > section") : [];
  const takeUp = () => {
    const section = far.shift();
    if (!section) return root.classList.remove("far");
    section.classList.add("near");
    requestAnimationFrame(() => setTimeout(takeUp));
  };
  addEventListener("load", () => setTimeout(takeUp));

  // What scrolls must be reachable by keyboard, and is from the start; what does not scroll need not be.
  // Measured shortly before it comes into sight: a long page need not be laid out at once.
  const measure = (frame) => {
    if (frame.scrollWidth > frame.clientWidth + 1 || frame.scrollHeight > frame.clientHeight + 1) frame.tabIndex = 0;
    else if (frame !== document.activeElement) frame.removeAttribute("tabindex");
  };
  const sight = new IntersectionObserver((entries) => { for (const entry of entries) if (entry.isIntersecting) measure(entry.target); }, { rootMargin: "600px 0px" });
  const watchFrames = () => { for (const frame of all(".table-wrap, pre, div.math")) { sight.unobserve(frame); sight.observe(frame); } };
  later(watchFrames);
  // A phone turned, a window drawn narrow: what fitted may scroll now.
  let turning = 0;
  addEventListener("resize", () => { clearTimeout(turning); turning = setTimeout(watchFrames, 200); });

  // Quizzes mark themselves.
  for (const field of all(".quiz fieldset")) {
    const right = new Set(field.dataset.right.split(" "));
    const inputs = all("input", field), verdict = one(".quiz-verdict", field), answer = one(".quiz-answer", field);
    const mark = () => {
      const chosen = inputs.filter((input) => input.checked).map((input) => input.value);
      const good = chosen.length === right.size && chosen.every((value) => right.has(value));
      for (const input of inputs) {
        const label = input.closest("label");
        label.classList.toggle("right", input.checked && right.has(input.value));
        label.classList.toggle("wrong", input.checked && !right.has(input.value));
      }
      verdict.className = `quiz-verdict ${good ? "good" : "bad"}`;
      verdict.textContent = !chosen.length ? "Choose first." : good ? "Right." : "Not quite. Try again, or open the answer.";
      if (good) answer.open = true;
    };
    const button = make("button", { type: "button", class: "button" }, "Check");
    button.addEventListener("click", mark);
    verdict.before(button);
    for (const input of inputs) input.addEventListener("change", () => {
      verdict.textContent = "";
      for (const label of all("label", field)) label.classList.remove("right", "wrong");
    });
  }
  for (const form of all("form.quiz")) form.addEventListener("submit", (event) => event.preventDefault());

  // The section being read is marked in the page's contents.
  const here = all(".here a");
  if (here.length) {
    const byId = new Map(here.map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const seen = new Set();
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
      const first = [...byId.keys()].find((id) => seen.has(id));
      if (first) for (const [id, link] of byId) link.classList.toggle("now", id === first);
    }, { rootMargin: "-70px 0px -60% 0px" });
    for (const id of byId.keys()) { const section = document.getElementById(id); if (section) watch.observe(section); }
  }

  // Search: an index with the text of every section, fetched when it is first wanted; a script, since a page from disk may load no data.
  let loading = null;
  const index = () => loading ||= new Promise((done) => {
    const script = make("script", { src: `${up}_static/search-index.js` });
    script.onload = () => done(window.bookIndex);
    script.onerror = () => done([]);
    document.head.append(script);
  });
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  const search = async (query) => {
    const words = plain(query).split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const found = [];
    for (const [page, title, sections] of await index()) {
      for (const [id, heading, text] of sections) {
        const head = plain(heading || title), name = plain(title), body = plain(text);
        let score = heading ? 0 : 2;
        const every = words.every((word) => {
          const stem = word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word;
          const inHead = head.includes(stem), inName = name.includes(stem), at = body.indexOf(stem);
          score += (inHead ? 12 : 0) + (inName ? 5 : 0) + (at >= 0 ? 2 + Math.min(4, body.split(stem).length - 1) / 2 : 0);
          if (new RegExp(`\\b${stem.replace(/[^\p{L}\p{N}]/gu, "\\$&")}`, "u").test(head)) score += 4;
          return inHead || inName || at >= 0;
        });
        if (every) found.push({ score, href: `${up}${page}${heading ? `#${id}` : ""}`, title: heading ? `${title}: ${heading}` : title, text, words });
      }
    }
    return found.sort((a, b) => b.score - a.score).slice(0, 30);
  };
  const excerpt = ({ text, words }) => {
    const body = plain(text);
    const at = Math.max(0, ...words.map((word) => body.indexOf(word)).filter((place) => place >= 0).slice(0, 1));
    const start = at > 60 ? text.indexOf(" ", at - 60) + 1 : 0;
    const piece = (start ? "… " : "") + text.slice(start, start + 180) + (text.length > start + 180 ? " …" : "");
    const line = make("span");
    const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
    for (const part of piece.split(pattern)) line.append(words.includes(plain(part)) ? make("mark", {}, part) : part);
    return line;
  };
  const searchForm = () => {
    const input = make("input", { type: "search", placeholder: "Search the book", "aria-label": "Search the book", autocomplete: "off", spellcheck: "false" });
    const said = make("p", { class: "search-said", role: "status" }), list = make("ul", { class: "results" });
    let turn = 0;
    const run = async () => {
      const mine = ++turn, found = await search(input.value);
      if (mine !== turn) return;
      list.replaceChildren(...found.map((hit) => make("li", {}, make("a", { href: hit.href }, make("b", {}, hit.title), excerpt(hit)))));
      said.textContent = !input.value.trim() ? "" : found.length ? `${found.length}${found.length === 30 ? " best" : ""} place${found.length > 1 ? "s" : ""}` : "Nothing found. Try fewer or shorter words.";
    };
    input.addEventListener("input", run);
    const move = (event) => {
      const links = all("a", list), at = links.indexOf(document.activeElement);
      if (event.key === "ArrowDown" && links[at + 1]) { links[at + 1].focus(); event.preventDefault(); }
      if (event.key === "ArrowUp" && at >= 0) { (links[at - 1] || input).focus(); event.preventDefault(); }
      if (event.key === "Enter" && document.activeElement === input && links[0]) { links[0].click(); event.preventDefault(); }
    };
    const parts = [make("div", { class: "search-box" }, input), said, list];
    return { input, parts, run, move };
  };
  const searchButton = one("#search-button");
  if (window.HTMLDialogElement) {
    const form = searchForm();
    const close = make("button", { type: "button", class: "button" }, "Close");
    form.parts[0].append(close);
    const dialog = make("dialog", { id: "search", "aria-label": "Search the book" }, ...form.parts);
    document.body.append(dialog);
    dialog.addEventListener("keydown", form.move);
    // A search field takes the first Escape for itself; here one is enough.
    dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); dialog.close(); } });
    dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("a")) dialog.close(); });
    close.addEventListener("click", () => dialog.close());
    const open = (event) => { event.preventDefault(); if (!dialog.open) { dialog.showModal(); form.input.select(); index(); } };
    searchButton.addEventListener("click", open);
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
      if ((event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey))) open(event);
    });
  }
  const place = one("#search-here");
  if (place) {
    const form = searchForm();
    place.append(...form.parts);
    place.addEventListener("keydown", form.move);
    form.input.value = new URLSearchParams(location.search).get("q") || "";
    form.run();
    form.input.focus();
  }
})();
