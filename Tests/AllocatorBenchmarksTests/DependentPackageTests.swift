// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import XCTest

/// What the benchmarks need, who depends on this package must not have to fetch.
final class DependentPackageTests: XCTestCase {
  func testDependentPackageResolvesNoThirdPartyDependency() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dependent-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let sources = folder.appendingPathComponent("Sources/Dependent")
    try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
    try Data().write(to: sources.appendingPathComponent("main.swift"))
    let manifest = """
      // swift-tools-version: 6.2
      import PackageDescription
      let package = Package(
        name: "Dependent",
        dependencies: [.package(name: "swift-allocators", path: "\(root.path)")],
        targets: [
          .executableTarget(
            name: "Dependent", dependencies: [.product(name: "GlobalJemalloc", package: "swift-allocators")])
        ])
      """
    try Data(manifest.utf8).write(to: folder.appendingPathComponent("Package.swift"))

    struct Package: Decodable {
      var name: String
      var dependencies: [Package]
    }
    let arguments = ["swift", "package", "--package-path", folder.path, "show-dependencies", "--format", "json"]
    let run = try Built.run(Command("/usr/bin/env", arguments))
    XCTAssertNil(run.failure)
    let json = run.output.drop { $0 != "{" }
    let package = try JSONDecoder().decode(Package.self, from: Data(json.utf8))
    XCTAssertEqual(package.dependencies.map(\.name), ["swift-allocators"])
    XCTAssertEqual(package.dependencies.first?.dependencies.map(\.name), [])
  }
}
