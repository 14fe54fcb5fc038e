// Inside Airflow the page is framed: follow the theme that Airflow shows, and its changes.
(() => {
  try {
    const airflow = window.parent.document.documentElement;
    if (airflow === document.documentElement) return;
    const follow = () => {
      document.documentElement.dataset.theme = airflow.classList.contains("dark") ? "dark" : "light";
    };
    follow();
    new MutationObserver(follow).observe(airflow, { attributes: true, attributeFilter: ["class"] });
  } catch {
    // Framed by something else: the browser's own preference holds.
  }
})();
