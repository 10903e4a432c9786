// Copies a command to the clipboard. Browsers offer the clipboard on https and on loopback only.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll(".copy")) {
    const command = button.previousElementSibling.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
}
