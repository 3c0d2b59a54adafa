// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension HTMLReport {
  /// How many allocators have a colour and a pattern of their own; then they begin again.
  static let colorCount = 7

  /// The style sheet. Colours hold for both schemes, lines differ in their dashes as well.
  static let style = """
    :root {
      --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --rule: #d1d9e0; --card: #f6f8fa;
      --c0: #59636e; --c1: #0550ae; --c2: #bc4c00; --c3: #116329; --c4: #8250df; --c5: #bf3989; --c6: #7d4e00;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --rule: #3d444d; --card: #151b23;
        --c0: #9198a1; --c1: #58a6ff; --c2: #f0883e; --c3: #3fb950; --c4: #bc8cff; --c5: #f778ba; --c6: #e3b341;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
    h1 { font-size: 1.5rem; line-height: 1.3; margin: 0.25rem 0 1.5rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
    .command { margin: 0; color: var(--faint); overflow-wrap: anywhere; }
    code { font: 0.9rem/1.4 ui-monospace, monospace; }
    figure { margin: 0 0 1rem; padding: 0.75rem 1rem; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
    figcaption, .note, .legend { color: var(--faint); font-size: 0.875rem; }
    figcaption:first-child { margin-bottom: 0.5rem; }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0 0 0.5rem; padding: 0; }
    svg { display: block; overflow: visible; }
    .legend svg { display: inline-block; vertical-align: middle; margin-right: 0.4rem; }
    svg text { fill: var(--ink); font: 14px system-ui, sans-serif; }
    svg text.faint { fill: var(--faint); font-size: 12px; }
    .rule { stroke: var(--rule); stroke-width: 1; }
    .one { stroke: var(--ink); stroke-width: 1; }
    .whisker { stroke: var(--ink); stroke-width: 1.5; }
    .pale { fill-opacity: 0.3; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); } .f3 { fill: var(--c3); }
    .f4 { fill: var(--c4); } .f5 { fill: var(--c5); } .f6 { fill: var(--c6); }
    .s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); stroke-dasharray: 9 3; }
    .s2 { stroke: var(--c2); stroke-dasharray: 3 3; } .s3 { stroke: var(--c3); stroke-dasharray: 12 3 3 3; }
    .s4 { stroke: var(--c4); stroke-dasharray: 6 6; } .s5 { stroke: var(--c5); stroke-dasharray: 1 4; }
    .s6 { stroke: var(--c6); stroke-dasharray: 14 6; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
    th, td { padding: 0.25rem 0.6rem 0.25rem 0; text-align: left; font-weight: normal; white-space: nowrap; }
    thead th { color: var(--faint); }
    .number { text-align: right; }
    .metric th { font-weight: 600; padding-top: 0.75rem; border-bottom: 1px solid var(--rule); }
    dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.25rem 1rem; font-size: 0.875rem; margin: 0; }
    dt { color: var(--faint); }
    dd { margin: 0; overflow-wrap: anywhere; }
    .failures { border-left: 4px solid var(--c2); padding-left: 1rem; }

    """
}
