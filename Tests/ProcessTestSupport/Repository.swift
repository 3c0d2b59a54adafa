// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// Folders of this package.
public enum Repository {
  /// The root of this package.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The folder of what tests build, start and compare with.
  public static let fixtures = root.appendingPathComponent("Tests/Fixtures")

  /// What the package manager built beside the executable of the tests.
  public static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  /// The folder in which tests build, within the scratch folder of the tests' own build: `.build/fixtures`. What is in it makes
  /// the next run short, and may be removed at any time.
  public static let workspace: URL = {
    // .build/<platform>/debug
    let folder = products.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("fixtures")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }()
}
