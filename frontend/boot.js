// Starts the application. The names of its two files carry hashes; the build writes them into the page's <meta>.
const { js, wasm } = document.querySelector('meta[name="ocim-app"]').dataset;

try {
  const { default: init } = await import(js);
  await init({ module_or_path: wasm });
} catch (error) {
  // A fault inside the application has drawn its own page by now; this is for files that did not arrive.
  if (!document.querySelector("[data-fault]")) showFault(String(error));
  throw error;
}

function showFault(message) {
  const main = document.createElement("main");
  main.dataset.fault = "";
  main.className = "fault";
  main.setAttribute("role", "alert");
  const title = document.createElement("h1");
  title.textContent = "The application could not be loaded";
  const words = document.createElement("p");
  words.textContent = `${message}. Check the connection to the server, then reload.`;
  const again = document.createElement("a");
  again.href = location.href;
  again.className = "btn";
  again.textContent = "Reload";
  main.append(title, words, again);
  document.body.replaceChildren(main);
}
