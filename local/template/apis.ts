/** HTTP and WebSocket APIs of the template as descriptions that the gateways take. */
import type { Authorizer } from '../http-api/authorizer.ts';
import type { Route } from '../http-api/routes.ts';
import type { HttpApiDescription } from '../http-api/server.ts';
import type { WebSocketApiDescription } from '../websocket-api/server.ts';
import { asList, asNumber, asString, isObject, TemplateError } from './json.ts';
import { type Model, type Resource, whereIs } from './model.ts';
import { REGION } from './pseudo.ts';

/** Properties that are heeded or change nothing locally, by type; any other would be silently not run. */
const PROPERTIES: Record<string, string[]> = {
  'AWS::ApiGatewayV2::Api': [
    'Name',
    'Description',
    'DisableExecuteApiEndpoint',
    'ProtocolType',
    'RouteSelectionExpression',
    'Tags',
    'IpAddressType',
  ],
  'AWS::ApiGatewayV2::Authorizer': [
    'ApiId',
    'AuthorizerPayloadFormatVersion',
    'AuthorizerResultTtlInSeconds',
    'AuthorizerType',
    'AuthorizerUri',
    'EnableSimpleResponses',
    'IdentitySource',
    'Name',
  ],
  'AWS::ApiGatewayV2::ApiMapping': ['ApiId', 'ApiMappingKey', 'DomainName', 'Stage'],
  'AWS::ApiGatewayV2::DomainName': ['DomainName', 'DomainNameConfigurations', 'Tags'],
  'AWS::ApiGatewayV2::Integration': [
    'ApiId',
    'Description',
    'IntegrationMethod',
    'IntegrationType',
    'IntegrationUri',
    'PayloadFormatVersion',
  ],
  'AWS::ApiGatewayV2::Route': [
    'ApiId',
    'ApiKeyRequired',
    'AuthorizationType',
    'AuthorizerId',
    'OperationName',
    'RouteKey',
    'RouteResponseSelectionExpression',
    'Target',
  ],
  'AWS::ApiGatewayV2::RouteResponse': ['ApiId', 'RouteId', 'RouteResponseKey'],
  'AWS::ApiGatewayV2::Stage': [
    'AccessLogSettings',
    'ApiId',
    'AutoDeploy',
    'DefaultRouteSettings',
    'Description',
    'StageName',
    'Tags',
  ],
};

/** Every API of the template. */
export interface Apis {
  http: HttpApiDescription[];
  webSocket: WebSocketApiDescription[];
}

/**
 * Reads every API with its one stage, its routes and the functions behind them.
 *
 * @throws TemplateError for what the gateways cannot run: other authorizers than a simple one by headers, CORS by the
 *   gateway, other integrations
 */
export function readApis(model: Model): Apis {
  for (const resource of model.ofType(...Object.keys(PROPERTIES))) checkProperties(resource);
  if (model.ofType('AWS::ApiGatewayV2::IntegrationResponse').length > 0) {
    const [first] = model.ofType('AWS::ApiGatewayV2::IntegrationResponse') as [Resource];
    throw new TemplateError(whereIs(first), 'integration responses are not supported here');
  }
  const apis: Apis = { http: [], webSocket: [] };
  for (const api of model.ofType('AWS::ApiGatewayV2::Api')) {
    const stage = onlyStage(model, api);
    const routes = model
      .ofType('AWS::ApiGatewayV2::Route')
      .filter(({ properties }) => properties.ApiId === api.ref);
    if (api.properties.ProtocolType === 'WEBSOCKET') {
      const throttling = readThrottling(stage);
      apis.webSocket.push({
        ...(throttling && { throttling }),
        apiId: api.ref,
        stage: stage.ref,
        names: namesOf(model, api, stage),
        routeSelectionExpression: asString(
          api.properties.RouteSelectionExpression,
          whereIs(api, 'RouteSelectionExpression'),
        ),
        routes: routes.map((route) => ({
          ...readRoute(model, route),
          hasRouteResponse: hasResponse(model, route),
        })),
      });
      continue;
    }
    const description: HttpApiDescription = {
      apiId: api.ref,
      stage: stage.ref,
      names: namesOf(model, api, stage),
      routes: readHttpRoutes(model, routes),
    };
    const throttling = readThrottling(stage);
    if (throttling) description.throttling = throttling;
    apis.http.push(description);
  }
  return apis;
}

function checkProperties(resource: Resource): void {
  for (const name of Object.keys(resource.properties)) {
    if (!PROPERTIES[resource.type]?.includes(name)) {
      throw new TemplateError(whereIs(resource, name), 'is not supported here');
    }
  }
}

function onlyStage(model: Model, api: Resource): Resource {
  const stages = model
    .ofType('AWS::ApiGatewayV2::Stage')
    .filter(({ properties }) => properties.ApiId === api.ref);
  const [stage] = stages;
  if (stage && stages.length === 1) return stage;
  throw new TemplateError(whereIs(api), `an API needs exactly one stage here, this one has ${stages.length}`);
}

/**
 * The host names of an API: its own, unless that is disabled, and those that are mapped to it.
 *
 * @throws TemplateError for a mapping under which its paths would be others than they are here
 */
function namesOf(model: Model, api: Resource, stage: Resource): string[] {
  const isSocket = api.properties.ProtocolType === 'WEBSOCKET';
  const mapped = model
    .ofType('AWS::ApiGatewayV2::ApiMapping')
    .filter(({ properties }) => properties.ApiId === api.ref);
  for (const mapping of mapped) {
    const { ApiMappingKey: key, Stage } = mapping.properties;
    if (Stage !== stage.ref) throw new TemplateError(whereIs(mapping, 'Stage'), 'is not the API’s one stage');
    const path = isSocket ? stage.ref : undefined;
    if (key !== path) {
      throw new TemplateError(whereIs(mapping, 'ApiMappingKey'), `only ${path ?? 'none'} is supported here`);
    }
  }
  const own = `${api.ref}.execute-api.${REGION}.amazonaws.com`;
  return [
    ...(api.properties.DisableExecuteApiEndpoint === true ? [] : [own]),
    ...mapped.map((mapping) => asString(mapping.properties.DomainName, whereIs(mapping, 'DomainName'))),
  ];
}

function readThrottling(stage: Resource): HttpApiDescription['throttling'] {
  const settings = stage.properties.DefaultRouteSettings;
  if (!isObject(settings) || settings.ThrottlingRateLimit === undefined) return undefined;
  const where = whereIs(stage, 'DefaultRouteSettings');
  const rate = asNumber(settings.ThrottlingRateLimit, where);
  return { rate, burst: asNumber(settings.ThrottlingBurstLimit ?? rate, where) };
}

/** Routes of an HTTP API, each with its authorizer. */
function readHttpRoutes(model: Model, routes: Resource[]): Route[] {
  const authorizers = new Map(
    model.ofType('AWS::ApiGatewayV2::Authorizer').map((resource) => [resource.ref, readAuthorizer(resource)]),
  );
  return routes.map((route) => {
    const authorizer = authorizers.get(String(route.properties.AuthorizerId));
    return { ...readRoute(model, route, '2.0'), ...(authorizer && { authorizer }) };
  });
}

function readAuthorizer(resource: Resource): Authorizer {
  const { properties, ref: id } = resource;
  const where = (name: string) => whereIs(resource, name);
  for (const [name, only] of Object.entries({
    AuthorizerType: 'REQUEST',
    AuthorizerPayloadFormatVersion: '2.0',
    EnableSimpleResponses: true,
  })) {
    if (properties[name] !== only) throw new TemplateError(where(name), `only ${only} is supported here`);
  }
  const headers = asList(properties.IdentitySource).map((source) => {
    const [, header] = /^\$request\.header\.(.+)$/.exec(asString(source, where('IdentitySource'))) ?? [];
    if (!header) throw new TemplateError(where('IdentitySource'), 'only headers are supported here');
    return header.toLowerCase();
  });
  const ttl = asNumber(properties.AuthorizerResultTtlInSeconds ?? 0, where('AuthorizerResultTtlInSeconds'));
  return {
    id,
    headers,
    ttl,
    functionArn: functionOf(asString(properties.AuthorizerUri, where('AuthorizerUri'))),
  };
}

/** The function that an integration or an authorizer names. */
function functionOf(uri: string): string {
  return /:lambda:path\/2015-03-31\/functions\/(.+)\/invocations$/.exec(uri)?.[1] ?? uri;
}

function readRoute(model: Model, route: Resource, version?: string): Route {
  const authorization = route.properties.AuthorizationType ?? 'NONE';
  if (authorization !== 'NONE' && !(authorization === 'CUSTOM' && version !== undefined)) {
    throw new TemplateError(
      whereIs(route, 'AuthorizationType'),
      `${String(authorization)} is not supported here`,
    );
  }
  const target = asString(route.properties.Target, whereIs(route, 'Target'));
  const integration = model
    .ofType('AWS::ApiGatewayV2::Integration')
    .find((one) => target === `integrations/${one.ref}` && one.properties.ApiId === route.properties.ApiId);
  if (!integration) throw new TemplateError(whereIs(route, 'Target'), `there is no integration ${target}`);
  const { properties } = integration;
  if (properties.IntegrationType !== 'AWS_PROXY') {
    throw new TemplateError(whereIs(integration, 'IntegrationType'), 'only AWS_PROXY is supported here');
  }
  if (version !== undefined && properties.PayloadFormatVersion !== version) {
    throw new TemplateError(
      whereIs(integration, 'PayloadFormatVersion'),
      `only ${version} is supported here`,
    );
  }
  const uri = asString(properties.IntegrationUri, whereIs(integration, 'IntegrationUri'));
  return {
    routeKey: asString(route.properties.RouteKey, whereIs(route, 'RouteKey')),
    functionArn: functionOf(uri),
  };
}

/** Whether what the function answers goes back to the client: the route selects a response, and it exists. */
function hasResponse(model: Model, route: Resource): boolean {
  if (route.properties.RouteResponseSelectionExpression === undefined) return false;
  return model
    .ofType('AWS::ApiGatewayV2::RouteResponse')
    .some(({ properties }) => properties.RouteId === route.ref && properties.RouteResponseKey === '$default');
}
