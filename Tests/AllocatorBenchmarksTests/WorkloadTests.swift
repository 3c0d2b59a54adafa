// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import TestEffort
import XCTest

@testable import Workloads

final class WorkloadTests: XCTestCase {
  func testSameWorkGivesTheSameChecksumEveryTime() throws {
    for workload in TestEffort.choice(Workload.allCases, quick: Array(Workload.allCases.prefix(1))) {
      let checksum = try workload.run(repetitions: 1)
      XCTAssertEqual(try workload.run(repetitions: 1), checksum, "\(workload)")
      XCTAssertNotEqual(try workload.run(repetitions: 2), checksum, "\(workload)")
    }
  }

  func testInputIsLargeEnoughAlsoWhereItIsGenerated() throws {
    XCTAssertGreaterThan(try Input.languages().count, 500_000)
    XCTAssert(Workload.inputDescription.contains(Input.isReal ? Input.languagesPath : "generated"))
    let generated = try JSONEncoder().encode(Input.generatedLanguages())
    XCTAssertGreaterThan(generated.count, 500_000)
    XCTAssertEqual(try JSONDecoder().decode(JSONRoundTrip.Catalogue.self, from: generated).languages.count, 7_900)
  }

  func testIndexKnowsEveryPlaceOfAWord() {
    let index = WordIndex.build(["The cat", "a dog and THE cat", "cat; cat!", "", "x"])
    XCTAssertEqual(index["cat"]?.sorted(), [0, 1, 2, 2])
    XCTAssertEqual(index["the"]?.sorted(), [0, 1])
    XCTAssertEqual(index.count, 6)
  }
}
