// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Found where a target that exports an allocator does not say which. The name in the target itself hides this one.
@available(
  *, unavailable,
  message: "this target exports an allocator and does not name it: declare `typealias LinkedAllocator = …` in it"
)
public typealias LinkedAllocator = GlobalAllocator

/// `Candidate`, which has to be an allocator: the shim's `LinkedAllocator` passes through here once, so that a type that is
/// none is one error of the compiler and not one for every function that it lacks.
public typealias ConformingAllocator<Candidate: AllocatorABI> = Candidate
