// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Hummingbird

/// A service with a leak: `GET /visit?user=N` logs in, and out again, and `/visit?user=N&keep=1` leaves the session behind, kept alive
/// by a closure of its own. So many requests of the second kind leak so many sessions, which is what profiles are held against.
public struct SessionService: Sendable {
  private let store = SessionStore()
  private let directory = Directory()

  /// Serves on 127.0.0.1 until SIGTERM or SIGINT.
  public static func serve(port: Int) async throws {
    print(Insight.start())
    let application = Application(
      router: SessionService().router(), configuration: .init(address: .hostname("127.0.0.1", port: port)))
    try await application.runService()
  }

  private func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.get("visit") { request, _ in
      let user = request.uri.queryParameters.get("user", as: Int.self) ?? -1
      return try await visit(user, leaks: request.uri.queryParameters.get("keep") == "1")
    }
    return router
  }

  @inline(never)
  private func visit(_ user: Int, leaks: Bool) async throws -> String {
    let session = try await logIn(user)
    session.requests += 1
    let open = await store.count
    await logOut(session, leaks: leaks)
    return "\(open)"
  }

  @inline(never)
  private func logIn(_ user: Int) async throws -> Session {
    guard await directory.isKnown(user) else { throw HTTPError(.forbidden) }
    let session = Session(user: user)
    // The mistake: the session has the closure, and the closure has the session.
    session.onExpire = { [store] in
      Task { await store.remove(session.user) }
    }
    await store.insert(session)
    return session
  }

  @inline(never)
  private func logOut(_ session: Session, leaks: Bool) async {
    await store.remove(session.user)
    if !leaks { session.close() }
  }
}
