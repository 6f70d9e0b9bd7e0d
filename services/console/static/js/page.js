// What every page needs: the menu on small screens, questions before what cannot be undone, copying a secret.
"use strict";

document.addEventListener("click", (event) => {
  const toggle = event.target.closest("[data-toggle]");
  if (toggle) {
    const panel = document.getElementById(toggle.dataset.toggle);
    toggle.setAttribute("aria-expanded", String(panel.classList.toggle("open")));
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) copySecret(copy);
  for (const open of document.querySelectorAll("details.dropdown[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  // Twice pressed is once sent.
  for (const button of event.target.querySelectorAll("button[type=submit]")) {
    if (!event.target.target) window.setTimeout(() => { button.disabled = true; }, 0);
  }
});

// Coming back by the browser's button shows the page as it was: its buttons must work again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
});

// On a phone the tabs are wider than the screen: the one that is open is not to be out of sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

async function copySecret(button) {
  const secret = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(secret);
    button.textContent = button.dataset.copied;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(document.getElementById(button.dataset.copy));
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
  }
}
