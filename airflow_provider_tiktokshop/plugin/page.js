// Inside Airflow the page is framed: follow the theme that Airflow shows, and its changes.
(() => {
  try {
    const outside = window.parent.document;
    if (outside === document) return;
    const follow = () => {
      const { dataset, style } = document.documentElement;
      dataset.theme = outside.documentElement.classList.contains("dark") ? "dark" : "light";
      style.setProperty("--ground", window.parent.getComputedStyle(outside.body).backgroundColor);
    };
    follow();
    new MutationObserver(follow).observe(outside.documentElement, { attributes: true, attributeFilter: ["class"] });
  } catch {
    // Framed by something else: the browser's own preference holds.
  }
})();
