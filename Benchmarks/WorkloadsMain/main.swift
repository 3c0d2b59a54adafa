// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Does one workload in a process of its own: the same program for each `Global…` product, in whose target this file is a
// symbolic link.
//
//     Workloads-system WORKLOAD [REPETITIONS]
//
// prints the name of the allocator that answered and the checksum of the results.

import AllocatorABI
import Foundation
import Workloads

let arguments = CommandLine.arguments.dropFirst()
guard let name = arguments.first, let workload = Workload(rawValue: name) else {
  FileHandle.standardError.write(Data("usage: WORKLOAD [REPETITIONS], one of \(Workload.allCases)\n".utf8))
  exit(64)
}
let checksum = try workload.run(repetitions: arguments.dropFirst().first.flatMap { Int($0) })
print("allocator \(GlobalAllocator.name)")
print("checksum \(String(checksum, radix: 16))")
