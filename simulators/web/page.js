// Takes over the parts the server sends, and asks for a new picture now and then; nothing of it while nobody looks.
"use strict";
let source = null;

function take(event) {
  const sent = new DOMParser().parseFromString(JSON.parse(event.data), "text/html");
  for (const part of sent.querySelectorAll("[data-part]")) {
    const shown = document.querySelector(`[data-part="${part.dataset.part}"]`);
    if (shown && shown.outerHTML !== part.outerHTML && !shown.contains(document.activeElement)) shown.replaceWith(part);
  }
}

function watch() {
  if (document.hidden) {
    if (source) source.close();
    source = null;
  } else if (!source) {
    source = new EventSource("/_page/events");
    source.addEventListener("parts", take);
  }
}

setInterval(() => {
  if (!document.hidden) document.getElementById("sky").src = `/_page/sky.png?${Date.now()}`;
}, 5000);
document.addEventListener("visibilitychange", watch);
watch();
