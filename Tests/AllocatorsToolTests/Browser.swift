// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// Chromium without a window.
struct Browser {
  private let path: String
  private let scratch: TemporaryFolder

  /// Skips the test where there is no Chromium.
  init(_ scratch: TemporaryFolder) throws {
    guard
      let path = ["chromium", "chromium-browser", "google-chrome"].lazy.compactMap({ CommandResult.locate($0) }).first
    else { throw XCTSkip("Chromium is not installed (apt-get install chromium)") }
    self.path = path
    self.scratch = scratch
  }

  /// What the page's scripts wrote to the console, errors and warnings of the browser about the page included; and the
  /// document's text after all has run.
  func open(_ page: String, isDark: Bool = false, width: Int = 1000) throws -> (console: [String], document: String) {
    let result = try run(["--virtual-time-budget=5000", "--dump-dom", url(page)], isDark, width, height: 2400)
    let console = result.standardError.split(separator: "\n").filter { $0.contains(":CONSOLE") }
    return (console.map(String.init), result.standardOutput)
  }

  /// The page as it looks, as a PNG file.
  func screenshot(_ page: String, isDark: Bool, width: Int, height: Int) throws -> String {
    let picture = scratch.path("screenshot.png")
    let result = try run(["--screenshot=\(picture)", url(page)], isDark, width, height: height)
    XCTAssert(FileManager.default.fileExists(atPath: picture), result.transcript)
    return picture
  }

  private func url(_ page: String) -> String { URL(fileURLWithPath: page).absoluteString }

  private func run(_ arguments: [String], _ isDark: Bool, _ width: Int, height: Int) throws -> CommandResult {
    let profile = scratch.path("profile-\(UUID().uuidString)")
    // The sandbox needs a user other than root; the pages are our own.
    let always = [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
      "--force-device-scale-factor=1", "--enable-logging=stderr", "--user-data-dir=\(profile)",
      "--window-size=\(width),\(height)", "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
    ]
    let result = try CommandResult.run(["timeout", "60", path] + always + arguments)
    XCTAssertEqual(result.status, 0, result.transcript)
    return result
  }
}
