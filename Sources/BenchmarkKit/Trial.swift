// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// One cell of a comparison: one contender at one subject.
public struct Trial: Sendable {
  /// What the contenders are compared at: a workload, a shape, a program.
  public var subject: String

  /// What is being compared: an allocator.
  public var contender: String

  public var command: Command

  /// What makes the command a server; nil for a program that ends by itself.
  public var load: ServerLoad?

  /// Takes from a run that ended well what all contenders have to agree on, or throws what is wrong with it.
  public var answer: @Sendable (ProgramRun) throws(WrongOutput) -> String

  public init(
    subject: String, contender: String, command: Command, load: ServerLoad? = nil,
    answer: @escaping @Sendable (ProgramRun) throws(WrongOutput) -> String = { run in run.output }
  ) {
    self.subject = subject
    self.contender = contender
    self.command = command
    self.load = load
    self.answer = answer
  }
}
