/** At a counter a scanner ends the badge with Enter: the PIN comes next, at once, without asking the service first. */

const badge = document.getElementById("badge");
const pin = document.getElementById("pin");

badge?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && badge.value.trim() && !pin.value) {
    event.preventDefault();
    pin.focus();
  }
});
