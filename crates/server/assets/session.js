// Warns before a session ends by itself, and goes on with it when somebody says so. What was typed stays
// where it is. Without this module a form that comes too late is kept and offered again.

const panel = document.getElementById("session-ends");
const left = () => Number(panel.dataset.left);
const warning = Number(panel.dataset.warning);
let timer;

const wait = () => {
  clearTimeout(timer);
  panel.hidden = true;
  timer = setTimeout(warn, Math.max(0, left() - warning) * 1000);
};

const warn = () => {
  panel.hidden = false;
  const words = panel.querySelector("[data-words]");
  words.textContent = panel.dataset.warn;
  timer = setTimeout(() => {
    words.textContent = panel.dataset.over;
  }, warning * 1000);
};

panel.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch(event.target.action, {
    method: "POST",
    headers: { Accept: "application/json" },
    credentials: "same-origin",
  });
  if (!answer.ok || answer.redirected) {
    panel.querySelector("[data-words]").textContent = panel.dataset.over;
    return;
  }
  panel.dataset.left = (await answer.json()).left;
  wait();
});

wait();
