// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import BenchmarkKit
import Foundation

/// The report as one page that needs nothing from anywhere: no script, no font, no image.
struct HTMLReport {
  private let report: ComparisonReport

  init(_ report: ComparisonReport) {
    self.report = report
  }

  /// The page, HTML 5 in UTF-8.
  var text: String {
    let title = "Allocators compared: \(report.commandLine)"
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(Self.escaped(title))</title>
      <link rel="icon" href="data:,">
      <style>
      \(Self.style)</style>
      </head>
      <body>
      <main>
      <header>
      <p class="command"><code>\(Self.escaped(report.commandLine))</code></p>
      <h1 id="verdict">\(Self.escaped(report.verdict))</h1>
      </header>
      \(failures)\(ratios)\(memory)\(table)\(facts)</main>
      </body>
      </html>

      """
  }

  private var failures: String {
    guard !report.failures.isEmpty else { return "" }
    let items = report.failures.map { contender in
      "<li>On <b>\(Self.escaped(contender.name))</b> the program \(Self.escaped(contender.failure ?? "")).</li>\n"
    }
    return """
      <section class="failures">
      <h2>Left out</h2>
      <ul>
      \(items.joined())</ul>
      </section>

      """
  }

  private var ratios: String {
    let charts = report.metrics.compactMap { metric -> String? in
      RatioChart(report, metric).map { chart in
        """
        <figure>
        <figcaption>\(Self.escaped(metric.title(forServer: report.isServer))), relative to \(Self.escaped(report.baseline.name))</figcaption>
        \(chart.svg)
        </figure>

        """
      }
    }
    guard !charts.isEmpty else { return "" }
    return """
      <section>
      <h2>Relative to \(Self.escaped(report.baseline.name))</h2>
      \(charts.joined())<p class="note">A bar is the median of the ratios within each round, a whisker its interval. Where the \
      whisker meets the line at 1, no difference was found, and the bar is pale.</p>
      </section>

      """
  }

  private var memory: String {
    guard let chart = ResidentChart(report) else { return "" }
    return """
      <section>
      <h2>Memory over time</h2>
      <figure>
      \(chart.legend)\(chart.svg)
      <figcaption>RSS of all processes together, of the run with the median peak</figcaption>
      </figure>
      </section>

      """
  }

  private var table: String {
    var rows = ""
    for metric in report.metrics {
      rows += "<tr class=\"metric\"><th colspan=\"5\" scope=\"rowgroup\">"
      rows += "\(Self.escaped(metric.title(forServer: report.isServer)))</th></tr>\n"
      for contender in report.contenders {
        guard let result = contender.result(metric) else { continue }
        let cells = [metric.text(result.median), result.ratioText, result.intervalText]
        rows += "<tr><th scope=\"row\">\(Self.escaped(contender.name))</th>"
        rows += cells.map { "<td class=\"number\">\(Self.escaped($0))</td>" }.joined()
        rows += "<td>\(Self.escaped(result.verdictText))</td></tr>\n"
      }
    }
    return """
      <section>
      <h2>Numbers</h2>
      <div class="scroll">
      <table>
      <thead><tr><th scope="col">allocator</th><th scope="col" class="number">median</th>\
      <th scope="col" class="number">ratio</th><th scope="col" class="number">interval</th><th scope="col">verdict</th></tr></thead>
      <tbody>
      \(rows)</tbody>
      </table>
      </div>
      </section>

      """
  }

  private var facts: String {
    var facts: [(String, String)] = report.contenders.map { contender in
      (contender.name, contender.version + (contender.path.map { ", \($0)" } ?? ""))
    }
    if let load = report.plan.load { facts.append(("load", "\(load.command) (port \(load.port))")) }
    facts += [("machine", report.plan.machine.description), ("date", report.plan.date)]
    facts += report.explanation.dropLast().map { ("method", $0) } + report.notes.map { ("note", $0) }
    let items = facts.map { "<dt>\(Self.escaped($0.0))</dt><dd>\(Self.escaped($0.1))</dd>\n" }
    return """
      <section>
      <h2>Machine, versions, method</h2>
      <dl>
      \(items.joined())</dl>
      </section>

      """
  }

  /// Text as HTML and XML text or attribute value.
  static func escaped(_ text: String) -> String { HeapProfile.escape(text) }
}
