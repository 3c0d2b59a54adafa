// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import NestAllocator

// The checks of the hardened flavour, each of them left out once.

enum All: Variant {}

enum WithoutBytesBehind: Variant {
  static var checksBytesBehind: Bool { false }
}

enum WithoutSizes: Variant {
  static var checksSizes: Bool { false }
}

enum WithoutBytesAndSizes: Variant {
  static var checksBytesBehind: Bool { false }
  static var checksSizes: Bool { false }
}

enum WithoutClearing: Variant {
  static var clearsReleasedBlocks: Bool { false }
}

enum ClearingAll: Variant {
  static var clearedBytes: Int { Int.max }
}

enum WithoutDelay: Variant {
  static var delaysReuse: Bool { false }
}

enum WithoutShuffling: Variant {
  static var shufflesBlocks: Bool { false }
}

enum WithoutSeparation: Variant {
  static var separatesClasses: Bool { false }
}

enum WithoutGuards: Variant {
  static var guardsPages: Bool { false }
}

enum WithoutBackground: Variant {
  static var checksInBackground: Bool { false }
}

enum ClearingAllWithoutBackground: Variant {
  static var clearedBytes: Int { Int.max }
  static var checksInBackground: Bool { false }
}

protocol Variant: SafetyChecks {}

extension Variant {
  static var checksFreeBlocks: Bool { true }
  static var trustsSizes: Bool { false }
  static var checksBytesBehind: Bool { HardenedChecks.checksBytesBehind }
  static var checksSizes: Bool { HardenedChecks.checksSizes }
  static var clearsReleasedBlocks: Bool { HardenedChecks.clearsReleasedBlocks }
  static var clearedBytes: Int { HardenedChecks.clearedBytes }
  static var delaysReuse: Bool { HardenedChecks.delaysReuse }
  static var shufflesBlocks: Bool { HardenedChecks.shufflesBlocks }
  static var guardsPages: Bool { HardenedChecks.guardsPages }
  static var separatesClasses: Bool { HardenedChecks.separatesClasses }
  static var checksInBackground: Bool { HardenedChecks.checksInBackground }
}
