// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension HeapProfile {
  /// A flame graph as one page of HTML that loads nothing: live bytes, live blocks or allocated bytes, by stack. A function's width is its
  /// share; it is below whoever has called it.
  public var flameGraph: String {
    let root = FlameNode(name: "all")
    for site in sites {
      let values = [site.live.bytes.value, site.live.objects.value, site.allocated.bytes.value].map { max($0, 0) }
      guard values.contains(where: { $0 >= 0.5 }) else { continue }
      root.add(site.frames.reversed().map(\.function)[...], values)
    }
    let (title, table) = (Self.escape(headline), Self.escape(text))
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>
      \(Self.style)</style>
      </head>
      <body>
      <main>
      <h1>\(title)</h1>
      <p class="controls">
      <label>Show <select id="measure"><option value="0">live bytes</option><option value="1">live blocks</option><option value="2">allocated bytes</option></select></label>
      <label>Find <input id="find" type="search" autocomplete="off"></label>
      <button id="reset" type="button">All</button>
      <span id="found" role="status"></span>
      </p>
      <div id="graph"></div>
      <p id="detail">Choose a function to see it alone.</p>
      <details><summary>As text</summary><pre>\(table)</pre></details>
      </main>
      <script>
      const root = \(root.json);
      \(Self.script)</script>
      </body>
      </html>

      """
  }

  /// Text as HTML and XML text or attribute value.
  package static func escape(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.append(character)
      }
    }
    return escaped
  }

  private static let style = """
    :root { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --rule: #d1d9e0; --card: #f6f8fa;
      --own: #f0a868; --library: #d3dbe4; --hit: #b48ead; --box: #1f2328; }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --rule: #3d444d; --card: #151b23;
        --own: #8a4b16; --library: #2b3440; --hit: #6e4a86; --box: #e6edf3; }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 90rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
    h1 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; }
    .controls { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin: 0 0 0.75rem; }
    input, select, button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--rule);
      border-radius: 6px; padding: 0.25rem 0.5rem; max-width: 100%; }
    #found, #detail { color: var(--faint); font-size: 0.875rem; overflow-wrap: anywhere; }
    #graph { position: relative; width: 100%; overflow: hidden; }
    #graph button { position: absolute; height: 23px; padding: 0 4px; border: 0; border-radius: 2px; overflow: hidden;
      white-space: nowrap; text-align: left; font: 13px/23px system-ui, sans-serif; color: var(--box); cursor: pointer;
      background: var(--own); min-width: 0; text-overflow: ellipsis; }
    #graph button.library { background: var(--library); }
    #graph button.hit { background: var(--hit); outline: 1px solid var(--ink); }
    pre { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 0.75rem;
      font: 0.8rem/1.4 ui-monospace, monospace; }

    """

  private static let script = """
    const graph = document.getElementById("graph"), measure = document.getElementById("measure");
    const find = document.getElementById("find"), found = document.getElementById("found");
    const detail = document.getElementById("detail"), row = 25;
    const link = (node, parent) => { node.p = parent; for (const child of node.c) link(child, node); };
    link(root, null);
    let focus = root;
    const value = node => node.v[+measure.value];
    const number = x => Math.round(x).toLocaleString("en");
    const amount = x => {
      if (measure.value === "1") return number(x) + " blocks";
      const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
      let unit = 0;
      while (x >= 1000 && unit < 4) { x /= 1024; unit++; }
      return (unit > 0 && x < 10 ? x.toFixed(1) : number(x)) + " " + units[unit];
    };
    const share = (x, of) => of > 0 ? (x / of * 100).toFixed(1) + " %" : "0 %";
    const describe = node => node.n + ": " + amount(value(node)) + ", " + share(value(node), value(root)) + " of all";
    const draw = () => {
      graph.replaceChildren();
      const words = find.value.toLowerCase(), width = graph.clientWidth;
      let depth = 0, hits = 0;
      const put = (node, left, size, level) => {
        const pixels = size * width;
        if (pixels < 1) return;
        depth = Math.max(depth, level + 1);
        const box = document.createElement("button");
        box.type = "button";
        box.style.left = left * 100 + "%";
        box.style.width = "calc(" + size * 100 + "% - 1px)";
        box.style.top = level * row + "px";
        box.title = describe(node);
        if (pixels > 24) box.textContent = node.n;
        if (node.l) box.classList.add("library");
        if (words && node.n.toLowerCase().includes(words)) box.classList.add("hit");
        box.onclick = () => { focus = node; draw(); };
        graph.append(box);
      };
      const path = [];
      for (let node = focus.p; node; node = node.p) path.unshift(node);
      path.forEach((node, level) => put(node, 0, 1, level));
      const walk = (node, left, size, level) => {
        put(node, left, size, level);
        let at = left;
        for (const child of [...node.c].sort((a, b) => value(b) - value(a))) {
          const part = value(node) > 0 ? size * value(child) / value(node) : 0;
          if (part * width >= 1) walk(child, at, part, level + 1);
          at += part;
        }
      };
      walk(focus, 0, 1, path.length);
      const count = (node, inside) => {
        const is = words && node.n.toLowerCase().includes(words);
        if (is && !inside) hits += value(node);
        for (const child of node.c) count(child, inside || is);
      };
      count(root, false);
      found.textContent = words ? amount(hits) + ", " + share(hits, value(root)) + " in what was found" : "";
      graph.style.height = depth * row + "px";
      detail.textContent = describe(focus);
    };
    measure.onchange = draw;
    find.oninput = draw;
    document.getElementById("reset").onclick = () => { focus = root; find.value = ""; draw(); };
    window.onresize = draw;
    draw();

    """
}

/// A function on stacks that are the same up to it.
private final class FlameNode {
  let name: String
  private var values = [0.0, 0.0, 0.0]
  private var children: [String: FlameNode] = [:]

  init(name: String) { self.name = name }

  func add(_ names: ArraySlice<String>, _ more: [Double]) {
    for index in values.indices { values[index] += more[index] }
    guard let first = names.first else { return }
    let child = children[first] ?? FlameNode(name: first)
    children[first] = child
    child.add(names.dropFirst(), more)
  }

  /// As a literal in a script of HTML.
  var json: String {
    let isLibrary = HeapProfile.Frame(address: 0, function: name, image: "").isLibrary
    let parts = children.values.sorted { $0.name < $1.name }.map(\.json)
    let numbers = values.map { String(Int($0.rounded())) }
    return
      "{\"n\":\(Self.quoted(name)),\"l\":\(isLibrary ? 1 : 0),\"v\":[\(numbers.joined(separator: ","))],\"c\":[\(parts.joined(separator: ","))]}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\", "<", ">", "&", "\u{2028}", "\u{2029}", "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
