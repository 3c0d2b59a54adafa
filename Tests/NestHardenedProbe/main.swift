// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Runs one misuse on hardened Nest, or on it without one check: `nest-hardened-probe VARIANT MISUSE SIZE`. Says "missed" if it
// had its way, "stopped" if not, and dies where it is found. With the words `laws` and `stress`, these. A process of its own, in which no
// other flavour of Nest is used; but with `beside`, which is the laws on this one, on the fast one, and in full on this one again.

import AllocatorABI
import AllocatorTestKit
import Glibc
import NestAllocator
import TestEffort

let arguments = CommandLine.arguments
guard arguments.count == 4, let size = Int(arguments[3]) else { exit(2) }
if arguments[2] != "beside" { NestAllocator.assumeOnlyHardened() }
var noCore = rlimit()
setrlimit(__rlimit_resource_t(4), &noCore)

func checkLaws<Allocator: MallocABI & MemoryReleasing & SendableMetatype>(_ allocator: Allocator.Type) {
  let violations = AllocatorLaws<Allocator>.violations(limits: .ofTests)
  for violation in violations { print(violation) }
  NestAllocator.checkInvariants()
  if !violations.isEmpty { exit(1) }
}

func run<Checks: SafetyChecks & SendableMetatype>(_ checks: Checks.Type, _ name: String, _ size: Int) -> Never {
  switch name {
  case "laws": checkLaws(Nest<Checks>.self)
  case "beside":
    checkLaws(Nest<Checks>.self)
    checkLaws(NestAllocator.self)
    if TestEffort.isFull { checkLaws(Nest<Checks>.self) }
  case "stress": Stress<Nest<Checks>>.run()
  case "exhaustion": Separation<Nest<Checks>>.exhaust()
  case "page-size": Separation<Nest<Checks>>.release(pageSize: size)
  case "given-up": Separation<Nest<Checks>>.giveUp()
  case "refusals": Refusals<Nest<Checks>>.run()
  case "fork": SeparationAndFork.run()
  case "other-classes": print(Separation<Nest<Checks>>.isBroken(size) ? "missed" : "stopped")
  default:
    guard let isMissed = Misuses<Nest<Checks>>.run(name, size) else { exit(2) }
    print(isMissed ? "missed" : "stopped")
  }
  exit(0)
}

switch arguments[1] {
case "all": run(All.self, arguments[2], size)
case "hardened": run(HardenedChecks.self, arguments[2], size)
case "no-bytes": run(WithoutBytesBehind.self, arguments[2], size)
case "no-sizes": run(WithoutSizes.self, arguments[2], size)
case "no-bytes-no-sizes": run(WithoutBytesAndSizes.self, arguments[2], size)
case "no-clearing": run(WithoutClearing.self, arguments[2], size)
case "clearing-all": run(ClearingAll.self, arguments[2], size)
case "no-delay": run(WithoutDelay.self, arguments[2], size)
case "no-shuffling": run(WithoutShuffling.self, arguments[2], size)
case "no-background": run(WithoutBackground.self, arguments[2], size)
case "clearing-all-no-background": run(ClearingAllWithoutBackground.self, arguments[2], size)
case "no-separation": run(WithoutSeparation.self, arguments[2], size)
case "no-guards": run(WithoutGuards.self, arguments[2], size)
default: exit(2)
}
