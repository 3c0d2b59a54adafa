// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// Whole packages, built from nothing.
final class SlowPackageTests: SlowTestCase {
  /// The samples as the packages that they are, by their own manifests.
  func testSamples() throws {
    for sample in ["MallocSample", "BumpSample"] {
      try ExportPluginTests.checkSample(FixturePackage(sample).path(.debug, of: "Hello"))
    }
  }

  func testAllocatorThatAllocatesDoesNotCompile() throws { try RejectionTests.checkMistakes(.release) }

  /// `VersionedDependencyTests` resolves the same, without a build.
  func testInsightOfATaggedVersion() throws {
    let package = try VersionedDependencyTests.packageOfTaggedVersion()
    let products = try package.build(VersionedDependencyTests.withInsight)
    let run = try CommandResult.run([products.appendingPathComponent("App").path])
    XCTAssertEqual(run.lines, ["no jemalloc"], run.transcript)
  }

  /// Where a folder can be hidden from one process: who uses jemalloc is told what to install, who does not needs nothing.
  func testWithoutJemalloc() throws {
    let hide = "mount -t tmpfs none /usr/include/jemalloc"
    guard try CommandResult.run(["unshare", "-m", "sh", "-c", hide]).status == 0 else {
      throw XCTSkip("skipped: no right to hide /usr/include/jemalloc from a build")
    }
    let scratch = try TemporaryFolder()
    func build(_ product: String) throws -> CommandResult {
      try CommandResult.run([
        "unshare", "-m", "sh", "-c",
        "\(hide) && swift build --package-path \"$0\" --scratch-path \"$1\" --product \"$2\"",
        FixturePackage.programs.folder.path, scratch.url.path, product,
      ])
    }
    let needing = try build("UsesJemalloc")
    XCTAssertNotEqual(needing.status, 0)
    XCTAssertTrue(
      (needing.standardOutput + needing.standardError).contains("apt-get install libjemalloc-dev"), needing.transcript)
    let other = try build("UsesSystem")
    XCTAssertEqual(other.status, 0, "who does not use jemalloc does not need it: \(other.transcript)")
  }

  func testSwiftCompilerUnderThePreloadedLibraries() throws {
    let folder = Repository.root.appendingPathComponent("Tests/ProcessTestSupport").path
    try RealProgram.compare(
      "swiftc",
      """
      swiftc -O -wmo -parse-as-library -module-name Compiled -module-cache-path modules -c "\(folder)"/*.swift -o compiled.o \
        2>&1 || exit 1
      cksum compiled.o
      """)
  }

  /// The package manager, the compiler and the linker, with what they fork, build a package that has a dependency.
  func testSwiftBuildUnderThePreloadedLibrary() throws {
    let folder = try TemporaryFolder()
    func build(_ environment: [String: String]) throws -> CommandResult {
      try folder.empty()
      return try CommandResult.run(
        [
          "sh", "-c",
          """
          mkdir -p Sources/greet && cat >Package.swift <<'END' && cat >Sources/greet/Greet.swift <<'END2' || exit 1
          // swift-tools-version: 6.0
          import PackageDescription
          let package = Package(
            name: "greet",
            dependencies: [.package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")],
            targets: [
              .executableTarget(
                name: "greet", dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")])
            ])
          END
          import ArgumentParser
          @main struct Greet: ParsableCommand {
            @Option(help: "How often.") var count = 1
            @Argument(help: "Who.") var names: [String]
            func run() { for name in names { print(String(repeating: "hello, \(name)! ", count: count)) } }
          }
          END2
          timeout 600 swift build >build.log 2>&1 || { cat build.log; exit 1; }
          .build/debug/greet --help && .build/debug/greet --count 3 you me; .build/debug/greet --count x 2>&1
          .build/debug/greet --generate-completion-script bash | cksum
          for file in $(find .build/debug/*.build -name '*.o' | LC_ALL=C sort); do
            objcopy -O binary -j .text $file text && cksum text && nm -P $file | cut -d ' ' -f 1,2 | cksum
          done
          """,
        ], in: folder.url, environment: environment)
    }
    let expected = try build([:])
    XCTAssertEqual(expected.status, 0, expected.transcript)
    XCTAssertTrue(expected.standardOutput.contains("USAGE: greet"), expected.transcript)
    let preloaded = try build(["LD_PRELOAD": try PreloadLibrary.nest.path(.release)])
    XCTAssertEqual(preloaded.status, 0, preloaded.transcript)
    XCTAssertEqual(preloaded.standardOutput, expected.standardOutput)
    XCTAssertEqual(preloaded.standardError, expected.standardError)
  }
}
