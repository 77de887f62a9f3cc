#ifndef LATHE_SERVER_CATALOG_SERVICE_H_
#define LATHE_SERVER_CATALOG_SERVICE_H_

#include "lathe/v1/catalog_service.grpc.pb.h"
#include "server/edge.h"

namespace lathe {

// lathe.v1.CatalogService: what this build can do. Touches no storage.
class CatalogServiceImpl final : public v1::CatalogService::CallbackService {
 public:
  explicit CatalogServiceImpl(Edge& edge) : edge_(edge) {}
  grpc::ServerUnaryReactor* ListPasses(grpc::CallbackServerContext* context, const v1::ListPassesRequest* request,
                                       v1::ListPassesResponse* response) override;
  grpc::ServerUnaryReactor* GetCapabilities(grpc::CallbackServerContext* context,
                                            const v1::GetCapabilitiesRequest* request,
                                            v1::Capabilities* response) override;

 private:
  Edge& edge_;
};

}  // namespace lathe

#endif  // LATHE_SERVER_CATALOG_SERVICE_H_
