// Makes pages livelier; every page works without it.
"use strict";

// Reads a page of ours and puts one element of it in the place of the same one here.
async function renew(url, selector, signal) {
  const answer = await fetch(url, { headers: { accept: "text/html" }, signal });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(selector);
  const old = document.querySelector(selector);
  if (fresh && old && !(old.contains(document.activeElement) && document.activeElement !== old)) old.replaceWith(fresh);
}

// <form data-live="#results">: search as you type.
for (const form of document.querySelectorAll("form[data-live]")) {
  let waiting, asking;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asking?.abort();
      asking = new AbortController();
      const url = new URL(form.action);
      url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
      try {
        await renew(url, form.dataset.live, asking.signal);
        history.replaceState(null, "", url);
      } catch (error) {
        if (error.name !== "AbortError") form.removeAttribute("data-live");
      }
    }, 200);
  });
}

// <section id="x" data-refresh="15">: counted again every so many seconds, while somebody looks.
for (const section of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => {
    if (!document.hidden) renew(location.href, `#${section.id}`).catch(() => {});
  }, Number(section.dataset.refresh) * 1000);
}

// A second click on a button does not send the form again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
